// The lab whose machines QEMU carries.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/kernel/headers.h"
#include "harness/kernel/kernel.h"
#include "harness/target/lab.h"
#include "harness/vm/machine.h"
#include "harness/vm/snapshot.h"

namespace kassay {

enum class Keeping {
  kSnapshots,  // each guest is restored from a snapshot, made when a profile is first asked for
  kNothing,    // each guest is booted: for those who want one alone
};

struct VmLabOptions {
  Kernel kernel;
  Installation installation;
  // Which suites' executables a profile's image holds.
  std::map<std::string, std::set<std::string>> suites;
  // Those of them that make files for the guest first (suites/support/prepare.h).
  std::set<std::string> preparing;
  std::vector<std::filesystem::path> prepared;  // folders whose files each image holds beside
  std::shared_ptr<KernelHeaders> headers = std::make_shared<KernelHeaders>();
  VmOptions vm;  // its note is the callers' own
  Keeping keeping = Keeping::kSnapshots;
};

class VmLab : public Lab {
 public:
  explicit VmLab(VmLabOptions options) : options_(std::move(options)) {}

  [[nodiscard]] Status Ready(const std::set<std::string>& profiles) const override;
  [[nodiscard]] Result<std::unique_ptr<Guest>> Fresh(const std::string& profile,
                                                     const NoteSink& note) override;
  [[nodiscard]] std::string SuitePath(const std::string& profile,
                                      const std::string& suite) const override;
  [[nodiscard]] std::map<std::string, TargetFacts> Facts() const override;
  [[nodiscard]] Status Shell(const std::string& profile, const NoteSink& note) override;

 private:
  struct Entry {
    std::mutex being_made;
    std::optional<Result<std::shared_ptr<const Snapshot>>> snapshot;  // once somebody asked
    std::string kvm_device;                                           // as it was then
  };
  [[nodiscard]] Result<MachineSpec> Machine(const std::string& profile, bool with_shell,
                                            const NoteSink& note);
  // Made when the profile is first asked for; anew if it was made under KVM and the device has
  // changed since to `kvm_device`.
  [[nodiscard]] Result<std::shared_ptr<const Snapshot>> SnapshotFor(const std::string& profile,
                                                                    const std::string& kvm_device,
                                                                    const NoteSink& note);
  // Where what `suite` made for this kernel lies.
  [[nodiscard]] Result<std::filesystem::path> Prepared(const std::string& suite);
  [[nodiscard]] VmOptions Telling(const NoteSink& note) const;

  const VmLabOptions options_;
  mutable std::mutex mutex_;              // guards what follows
  std::map<std::string, Entry> entries_;  // none is ever removed
  std::map<std::string, TargetFacts> facts_;
};

}  // namespace kassay
