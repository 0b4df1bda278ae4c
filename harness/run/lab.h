// Where a run gets its guests from. The seam between running cases and virtual machines: unit tests
// put a guest of their own here.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"
#include "harness/target/guest.h"
#include "harness/vm/machine.h"
#include "harness/vm/snapshot.h"

namespace kassay {

class Lab {
 public:
  Lab() = default;
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  virtual ~Lab() = default;

  // Whether machines of these profiles can be had at all, before anything is started: the profiles
  // are known, the kernel boots the way that they ask for, and QEMU is there.
  [[nodiscard]] virtual Status Ready(const std::set<std::string>& profiles) const = 0;
  // A machine of this profile in which nothing has run yet. The first call for a profile may boot
  // it. Thread-safe.
  [[nodiscard]] virtual Result<std::unique_ptr<Guest>> Fresh(const std::string& profile) = 0;
  // Where a suite's executable is in a machine of this profile.
  [[nodiscard]] virtual std::string SuitePath(const std::string& profile,
                                              const std::string& suite) const = 0;
  // What the machines turned out to be, by profile, so far.
  [[nodiscard]] virtual std::map<std::string, MachineFacts> Facts() const = 0;
};

struct VmLabOptions {
  Kernel kernel;
  std::filesystem::path profiles_dir;
  std::filesystem::path libexec_dir;
  std::filesystem::path cache_dir;
  // Which suites' executables a profile's image holds.
  std::map<std::string, std::set<std::string>> suites;
  // Those of them that make files for the guest first (suites/support/prepare.h).
  std::set<std::string> preparing;
  VmOptions vm;
  // The kernel's headers for what runs on this machine; called at most once. Empty path: none.
  std::function<Result<std::filesystem::path>()> headers_dir;
};

// Restores a snapshot for each guest; the snapshot is made when a profile is first asked for.
class VmLab : public Lab {
 public:
  explicit VmLab(VmLabOptions options) : options_(std::move(options)) {}

  [[nodiscard]] Status Ready(const std::set<std::string>& profiles) const override;
  [[nodiscard]] Result<std::unique_ptr<Guest>> Fresh(const std::string& profile) override;
  [[nodiscard]] std::string SuitePath(const std::string& profile,
                                      const std::string& suite) const override;
  [[nodiscard]] std::map<std::string, MachineFacts> Facts() const override;

  // Makes the snapshot of a profile, or finds that it is there.
  [[nodiscard]] Result<Snapshot> Prepare(const std::string& profile);

 private:
  struct Entry {
    std::mutex being_made;
    std::unique_ptr<Result<Snapshot>> snapshot;  // null until somebody asked
  };
  [[nodiscard]] Result<Snapshot> Make(const std::string& profile);
  [[nodiscard]] Result<std::filesystem::path> Headers();
  // Where what `suite` made for this kernel lies.
  [[nodiscard]] Result<std::filesystem::path> Prepared(const std::string& suite);
  [[nodiscard]] Result<std::unique_ptr<Guest>> HostGuest();

  const VmLabOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Entry>> entries_;
  std::mutex headers_mutex_;
  std::unique_ptr<Result<std::filesystem::path>> headers_;
};

}  // namespace kassay
