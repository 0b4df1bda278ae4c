#include "harness/run/lab.h"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/process/program.h"
#include "harness/base/sha256.h"
#include "harness/host/host_guest.h"
#include "harness/image/initramfs.h"
#include "harness/profile/profile.h"
#include "harness/protocol/guest_layout.h"
#include "harness/protocol/suite_program.h"
#include "harness/vm/boot.h"
#include "harness/vm/boot_path.h"

namespace kassay {

Result<std::filesystem::path> VmLab::Headers() {
  const std::lock_guard<std::mutex> lock(headers_mutex_);
  if (!headers_) {
    headers_ = std::make_unique<Result<std::filesystem::path>>(
        options_.headers_dir ? options_.headers_dir() : std::filesystem::path());
  }
  return *headers_;
}

Result<std::filesystem::path> VmLab::Prepared(const std::string& suite) {
  KASSAY_TRY(const std::filesystem::path headers, Headers());
  const std::filesystem::path executable = options_.libexec_dir / "suites" / suite;
  KASSAY_TRY(const std::string executable_sha256, Sha256HexOfFile(executable));
  const std::string key =
      Sha256Hex(executable_sha256 + options_.kernel.identity.release + headers.string());
  const std::filesystem::path folder = options_.cache_dir / "prepared" / key;
  if (std::filesystem::exists(folder)) return folder;
  const std::filesystem::path unfinished = fmt::format("{}.{}.part", folder.string(), ::getpid());
  std::error_code error;
  std::filesystem::create_directories(unfinished, error);
  if (error) return Fail("cannot make " + unfinished.string() + ": " + error.message());
  const Command command{.argv = {executable.string(), kPrepareOption + unfinished.string()},
                        .environment = {{kHeadersVariable, headers.string()}}};
  const Limits limits{.time = std::chrono::minutes(10)};  // it compiles
  const Result<ProgramOutcome> outcome = RunProgram(command, limits);
  if (outcome && outcome->ending.Succeeded()) std::filesystem::rename(unfinished, folder, error);
  // Another run may have been faster: its result is the same.
  std::filesystem::remove_all(unfinished, error);
  if (!outcome) return Fail(outcome.error());
  if (!outcome->ending.Succeeded()) {
    return Fail(fmt::format("{} --kassay_prepare {}: {}", suite, outcome->ending.Words(),
                            outcome->standard_error.substr(0, 300)));
  }
  return folder;
}

Result<Snapshot> VmLab::Make(const std::string& profile_name) {
  KASSAY_TRY(const Profile profile, LoadProfile(options_.profiles_dir, profile_name));
  InitramfsSpec image;
  image.kernel = &options_.kernel;
  image.profile = &profile;
  if (const auto suites = options_.suites.find(profile_name); suites != options_.suites.end())
    image.suites.assign(suites->second.begin(), suites->second.end());
  for (const std::string& suite : image.suites) {
    if (!options_.preparing.contains(suite)) continue;
    KASSAY_TRY(const std::filesystem::path folder, Prepared(suite));
    image.prepared.push_back(folder);
  }
  KASSAY_TRY(const Initramfs initramfs, BuildInitramfs(image, options_.cache_dir / "images"));
  for (const std::string& module : initramfs.missing_modules) {
    if (options_.vm.note)
      options_.vm.note(fmt::format("profile {}: this kernel has no {}", profile_name, module));
  }
  const SnapshotCache cache(options_.cache_dir / "snapshots");
  const MachineSpec machine{options_.kernel, profile, initramfs};
  return cache.Ensure(machine, options_.vm);
}

Result<Snapshot> VmLab::Prepare(const std::string& profile) {
  Entry* entry = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<Entry>& place = entries_[profile];
    if (!place) place = std::make_unique<Entry>();
    entry = place.get();
  }
  // Other profiles can be made meanwhile; who wants this one waits.
  const std::lock_guard<std::mutex> lock(entry->being_made);
  if (!entry->snapshot) {
    auto made = std::make_unique<Result<Snapshot>>(Make(profile));
    const std::lock_guard<std::mutex> publish(mutex_);
    entry->snapshot = std::move(made);
  }
  return *entry->snapshot;
}

Result<std::unique_ptr<Guest>> VmLab::HostGuest() {
  KASSAY_TRY(const std::filesystem::path headers, Headers());
  return MakeHostGuest(headers);
}

Status VmLab::Ready(const std::set<std::string>& profiles) const {
  // Wrong usage is told before what this machine lacks.
  bool boots = false;
  for (const std::string& name : profiles) {
    if (name == kHostProfile) continue;
    boots = true;
    KASSAY_TRY(const Profile profile, LoadProfile(options_.profiles_dir, name));
    KASSAY_CHECK(BootModeFor(options_.kernel, profile, options_.vm));
  }
  if (boots) KASSAY_CHECK(FindQemu(options_.vm));
  return {};
}

Result<std::unique_ptr<Guest>> VmLab::Fresh(const std::string& profile) {
  if (profile == kHostProfile) return HostGuest();
  KASSAY_TRY(const Snapshot snapshot, Prepare(profile));
  return snapshot.Restore();
}

std::string VmLab::SuitePath(const std::string& profile, const std::string& suite) const {
  return profile == kHostProfile ? (options_.libexec_dir / "suites" / suite).string()
                                 : std::string(kGuestSuitesDir) + "/" + suite;
}

std::map<std::string, MachineFacts> VmLab::Facts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::map<std::string, MachineFacts> facts;
  for (const auto& [profile, entry] : entries_) {
    if (entry->snapshot && *entry->snapshot) facts[profile] = (*entry->snapshot)->facts();
  }
  return facts;
}

}  // namespace kassay
