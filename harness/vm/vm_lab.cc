#include "harness/vm/vm_lab.h"

#include <fmt/format.h>

#include "harness/base/file.h"
#include "harness/image/initramfs.h"
#include "harness/image/prepared_files.h"
#include "harness/profile/profile.h"
#include "harness/protocol/guest_layout.h"
#include "harness/vm/boot.h"
#include "harness/vm/kvm.h"

namespace kassay {

Result<std::filesystem::path> VmLab::Prepared(const std::string& suite) {
  KASSAY_TRY(const std::filesystem::path headers, options_.headers->Folder());
  return PreparedFolder(options_.installation, {suite, options_.kernel.identity.release, headers});
}

VmOptions VmLab::Telling(const NoteSink& note) const {
  VmOptions options = options_.vm;
  options.note = note;
  return options;
}

Result<MachineSpec> VmLab::Machine(const std::string& profile_name, bool with_shell,
                                   const NoteSink& note) {
  KASSAY_TRY(const Profile profile, LoadProfile(options_.installation.ProfilesDir(), profile_name));
  InitramfsSpec image;
  image.installation = &options_.installation;
  image.kernel = &options_.kernel;
  image.profile = &profile;
  image.with_shell = with_shell;
  image.prepared = options_.prepared;
  if (const auto suites = options_.suites.find(profile_name); suites != options_.suites.end())
    image.suites.assign(suites->second.begin(), suites->second.end());
  for (const std::string& suite : image.suites) {
    if (!options_.preparing.contains(suite)) continue;
    KASSAY_TRY(const std::filesystem::path folder, Prepared(suite));
    image.prepared.push_back(folder);
  }
  KASSAY_TRY(const Initramfs initramfs, BuildInitramfs(image, options_.installation.ImagesDir()));
  for (const std::string& module : initramfs.missing_modules) {
    if (note) note(fmt::format("profile {}: this kernel has no {}", profile_name, module));
  }
  MachineSpec machine{options_.kernel, profile, initramfs, {}};
  for (const std::string& file : profile.enroll) {
    KASSAY_TRY(std::string der, ReadFile(options_.installation.FixturesDir() / file, 65536));
    machine.enroll.push_back(std::move(der));
  }
  return machine;
}

Status VmLab::Ready(const std::set<std::string>& profiles) const {
  // Wrong usage is told before what this machine lacks.
  for (const std::string& name : profiles) {
    KASSAY_TRY(const Profile profile, LoadProfile(options_.installation.ProfilesDir(), name));
    KASSAY_CHECK(BootModeFor(options_.kernel, profile, options_.vm));
    KASSAY_TRY(const bool uefi, BootsThroughUefi(options_.kernel, profile, options_.vm));
    if (uefi) KASSAY_CHECK(FindUefi(*options_.kernel.architecture));
  }
  if (!profiles.empty()) KASSAY_CHECK(FindQemu(options_.vm, *options_.kernel.architecture));
  return {};
}

Result<std::unique_ptr<Guest>> VmLab::Fresh(const std::string& profile, const NoteSink& note) {
  if (options_.keeping == Keeping::kNothing) {
    KASSAY_TRY(const MachineSpec machine, Machine(profile, /*with_shell=*/false, note));
    KASSAY_TRY(BootedMachine booted, BootFresh(machine, Telling(note)));
    const std::lock_guard<std::mutex> publish(mutex_);
    facts_[profile] = booted.facts;
    return std::move(booted.guest);
  }
  std::string device = KvmDeviceFacts(options_.vm.kvm_device);
  KASSAY_TRY(std::shared_ptr<const Snapshot> snapshot, SnapshotFor(profile, device, note));
  auto guest = snapshot->Restore();
  const std::string now = KvmDeviceFacts(options_.vm.kvm_device);
  if (guest || now == device) return guest;
  // It was lost while the machine started.
  KASSAY_TRY(snapshot, SnapshotFor(profile, now, note));
  return snapshot->Restore();
}

Result<std::shared_ptr<const Snapshot>> VmLab::SnapshotFor(const std::string& profile,
                                                           const std::string& kvm_device,
                                                           const NoteSink& note) {
  std::unique_lock<std::mutex> lock(mutex_);
  Entry& entry = entries_[profile];
  lock.unlock();
  // Other profiles can be made meanwhile; who wants this one waits.
  const std::lock_guard<std::mutex> making(entry.being_made);
  const bool made = entry.snapshot.has_value();
  const bool lost = made && *entry.snapshot && entry.kvm_device != kvm_device &&
                    (**entry.snapshot)->facts().accelerator == Name(Accelerator::kKvm);
  if (lost && note)
    note(fmt::format("profile {}: {} changed during the run", profile,
                     options_.vm.kvm_device.string()));
  if (!made || lost) {
    entry.kvm_device = kvm_device;
    entry.snapshot =
        Machine(profile, /*with_shell=*/false, note)
            .and_then([&](const MachineSpec& machine) {
              return Snapshot::Ensure(options_.installation.SnapshotsDir(), machine, Telling(note));
            })
            .transform([](Snapshot&& snapshot) {
              return std::make_shared<const Snapshot>(std::move(snapshot));
            });
    const std::lock_guard<std::mutex> publish(mutex_);
    if (*entry.snapshot) facts_[profile] = (**entry.snapshot)->facts();
  }
  return *entry.snapshot;
}

std::string VmLab::SuitePath(const std::string& /*profile*/, const std::string& suite) const {
  return std::string(kGuestSuitesDir) + "/" + suite;
}

std::map<std::string, TargetFacts> VmLab::Facts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return facts_;
}

Status VmLab::Shell(const std::string& profile, const NoteSink& note) {
  KASSAY_TRY(const MachineSpec machine, Machine(profile, /*with_shell=*/true, note));
  return RunShell(machine, Telling(note));
}

}  // namespace kassay
