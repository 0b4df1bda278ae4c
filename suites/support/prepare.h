// What a suite makes on the build host for the guest, once a kernel: `SUITE
// --kassay_prepare=FOLDER` is run by the harness before the image is built, with
// $KASSAY_KERNEL_HEADERS set where the kernel came with headers. The files that it leaves in FOLDER
// are in the guest under PreparedDir().
//
//   KASSAY_PREPARE() { return BuildModules(folder); }     // "" or what went wrong, one line
#pragma once

#include <filesystem>
#include <string>

namespace kassay {

// Of the suite that runs: /kassay/prepared in the guest, $KASSAY_PREPARED_DIR overrides.
[[nodiscard]] std::filesystem::path PreparedDir();

class PrepareRegistration {
 public:
  explicit PrepareRegistration(std::string (*prepare)(const std::string& folder));
};

// One a suite.
#define KASSAY_PREPARE()                                                                  \
  static std::string KassayPrepare(const std::string& folder);                            \
  static const ::kassay::PrepareRegistration kassay_prepare_registration(&KassayPrepare); \
  static std::string KassayPrepare(const std::string& folder)

// Whether the suite registered one.
[[nodiscard]] bool HasPreparation();

// Runs the registered function, if any; the exit code of --kassay_prepare.
[[nodiscard]] int Prepare(const std::string& folder);

}  // namespace kassay
