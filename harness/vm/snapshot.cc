#include "harness/vm/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/vm/boot.h"
#include "harness/vm/boot_attempt.h"
#include "harness/vm/boot_path.h"
#include "harness/vm/qemu_user.h"
#include "harness/vm/snapshot_folder.h"

namespace kassay {
namespace fs = std::filesystem;

struct Snapshot::State {
  Manifest manifest;
  MachineArguments arguments;  // without descriptors; of the profile that follows
  Profile profile;
  QemuBinary qemu;
  fs::path path;
  SnapshotLock lock;
  // What was found whole when the snapshot was taken up. The lock keeps kassay itself from removing
  // it; a person who tidies up the cache knows no locks, and need not break a run.
  UniqueFd memory;
  UniqueFd device_state;
};

namespace {

using Json = nlohmann::json;
using std::chrono::seconds;

// The guest's own start-up work that hello did not wait for.
constexpr std::chrono::milliseconds kSettle{500};

std::string HostCpu(const Architecture& architecture) {
  const auto text = ReadFile("/proc/cpuinfo", std::size_t{16} << 20);
  if (!text) return {};
  std::string cpu;
  for (const std::string_view field : architecture.cpu_fields) {
    const std::size_t at = text->find(field);
    if (at != std::string::npos) cpu += text->substr(at, text->find('\n', at) - at) + "\n";
  }
  return cpu;
}

Result<std::string> KeyOf(const BootPlan& plan) {
  struct stat binary {};
  if (::stat(plan.qemu.path.c_str(), &binary) != 0) return FailErrno(plan.qemu.path.string());
  const MachineSpec& spec = *plan.spec;
  const Profile& profile = spec.profile;
  MachineArguments arguments = ArgumentsOf(plan);
  // The numbers of descriptors say nothing; that there are some does.
  arguments.fds = {0, 0, 0, 0, -1, -1, profile.disk_mib > 0 ? 0 : -1};
  std::string image = spec.kernel.identity.image_sha256;
  if (image.empty()) {
    KASSAY_TRY(image, Sha256HexOfFile(spec.kernel.image));
  }
  std::string initramfs = spec.initramfs.sha256;
  if (initramfs.empty()) {
    KASSAY_TRY(initramfs, Sha256HexOfFile(spec.initramfs.path));
  }
  const Json key = {
      {"format", kSnapshotFormat},
      {"agent", protocol::kVersion},
      {"image", image},
      {"initramfs", initramfs},
      {"command_line", arguments.kernel_command_line},
      {"modules", profile.modules},
      {"disk_mib", profile.disk_mib},
      {"boot", Name(plan.boot)},
      {"arguments", QemuArguments(arguments)},
      {"qemu", {plan.qemu.version, plan.qemu.path.string(), binary.st_size, binary.st_mtim.tv_sec}},
      {"cpu",
       plan.accelerator == Accelerator::kKvm ? HostCpu(*arguments.architecture) : std::string()}};
  return Sha256Hex(key.dump());
}

// Flushes the file and gives it its final time.
Result<std::int64_t> Settle(int fd) {
  if (::fsync(fd) != 0) return FailErrno("cannot write the snapshot");
  struct stat status {};
  if (::fstat(fd, &status) != 0) return FailErrno("fstat");
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

Status SaveState(LiveMachine& machine, int state) {
  const auto limit = seconds(60);
  KASSAY_CHECK(machine.Execute("migrate-set-capabilities",
                               {{"capabilities",
                                 {{{"capability", "x-ignore-shared"}, {"state", true}},
                                  {{"capability", "events"}, {"state", true}}}}},
                               limit));
  // Without a `stop` before: a machine saved while it ran goes on by itself once it is loaded.
  KASSAY_CHECK(machine.Execute("getfd", {{"fdname", "state"}}, limit, state));
  KASSAY_CHECK(machine.Execute("migrate", {{"uri", "fd:state"}}, limit));
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < deadline) {
    KASSAY_TRY(const Json progress, machine.Execute("query-migrate", nullptr, limit));
    const std::string status = progress.value("status", "");
    if (status == "completed") {
      KASSAY_CHECK(machine.Execute("quit", nullptr, limit));
      return machine.WaitForExit(limit) ? Status() : Fail("QEMU does not quit");
    }
    if (status == "failed" || status == "cancelled")
      return Fail("QEMU could not save the machine: " + progress.value("error-desc", status));
    KASSAY_CHECK(machine.Idle(std::chrono::milliseconds(5)));
  }
  return Fail("QEMU did not finish to save the machine");
}

// Fills `folder`, which exists and is empty.
Result<Manifest> MakeIn(const fs::path& folder, const BootPlan& plan, const std::string& key,
                        const VmOptions& options) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(plan.spec->profile.memory_mib) << 20;
  const UniqueFd memory(
      ::open((folder / "memory").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const UniqueFd state(
      ::open((folder / "state").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!memory.IsOpen() || !state.IsOpen() ||
      ::ftruncate(memory.Get(), static_cast<off_t>(bytes)) != 0)
    return FailErrno("cannot write " + folder.string());
  KASSAY_CHECK(GiveTo(QemuUser(), memory.Get()));

  BootPlan with_memory = plan;
  with_memory.memory = memory.Get();
  KASSAY_TRY(BootedMachine booted, BootOrExplain(with_memory, options));
  NoteTroubles(*plan.spec, booted.hello, options);
  KASSAY_CHECK(booted.machine->Idle(kSettle));
  KASSAY_CHECK(SaveState(*booted.machine, state.Get()));
  booted.machine.reset();

  Manifest manifest;
  manifest.key = key;
  manifest.facts = booted.facts;
  manifest.memory_bytes = bytes;
  KASSAY_TRY(manifest.memory_mtime_ns, Settle(memory.Get()));
  KASSAY_CHECK(Settle(state.Get()));
  manifest.state_bytes = fs::file_size(folder / "state");
  KASSAY_TRY(manifest.state_sha256, Sha256HexOfFile(folder / "state"));
  KASSAY_CHECK(WriteFileAtomically(folder / "manifest.json", ToJson(manifest)));
  return manifest;
}

// The open file once more, with an offset of its own; it need not have a name any more.
UniqueFd OpenAgain(const UniqueFd& file) {
  return UniqueFd(
      ::open(("/proc/self/fd/" + std::to_string(file.Get())).c_str(), O_RDONLY | O_CLOEXEC));
}

// With the exclusive lock of `key`: the folder appears whole or not at all.
Status Make(const fs::path& folder, const BootPlan& plan, const std::string& key,
            const VmOptions& options) {
  std::error_code error;
  const fs::path making = folder / (key + ".making");
  fs::remove_all(making, error);
  fs::remove_all(folder / key, error);
  if (!fs::create_directory(making, error))
    return Fail("cannot make " + making.string() + ": " + error.message());
  fs::permissions(making, fs::perms::owner_all, error);
  auto manifest = MakeIn(making, plan, key, options);
  if (!manifest) {
    fs::remove_all(making, error);
    return Fail(manifest.error());
  }
  fs::rename(making, folder / key, error);
  if (error) return Fail("cannot keep the snapshot: " + error.message());
  return {};
}

}  // namespace

const TargetFacts& Snapshot::facts() const { return state_->manifest.facts; }
const std::string& Snapshot::key() const { return state_->manifest.key; }

Result<std::unique_ptr<Guest>> Snapshot::Restore() const {
  const Status whole =
      CheckSnapshot(state_->memory.Get(), state_->device_state.Get(), state_->manifest);
  if (!whole) return Fail(whole.error().Within("the snapshot " + state_->path.string()));
  const UniqueFd memory = OpenAgain(state_->memory);
  const UniqueFd device_state = OpenAgain(state_->device_state);
  if (!memory.IsOpen() || !device_state.IsOpen()) return FailErrno(state_->path.string());
  KASSAY_TRY(const UniqueFd disk, BlankDisk(state_->profile));
  LiveMachine::Setup setup;
  setup.qemu = state_->qemu;
  setup.user = QemuUser();
  setup.state = device_state.Get();
  MachineArguments& arguments = setup.arguments;
  arguments = state_->arguments;
  arguments.profile = &state_->profile;
  arguments.memory_use = MemoryUse::kPrivate;
  arguments.fds.memory = memory.Get();
  arguments.fds.disk = disk.Get();
  KASSAY_TRY(std::unique_ptr<Guest> guest, LiveMachine::Start(setup));
  return guest;
}

SnapshotCache::SnapshotCache(fs::path folder, std::uint64_t max_bytes)
    : folder_(std::move(folder)), max_bytes_(max_bytes) {}

Result<Snapshot> SnapshotCache::Ensure(const MachineSpec& spec, const VmOptions& options) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return Fail("cannot make " + folder_.string() + ": " + error.message());
  KASSAY_TRY(const BootPlan plan, PlanBoot(spec, options));
  if (options.accelerator == Accelerator::kAuto && !plan.why_slow.empty())
    Note(options, "emulation instead of KVM: " + plan.why_slow);
  KASSAY_TRY(const std::string key, KeyOf(plan));

  // Between the exclusive lock of who makes it and the shared one of who uses it, somebody may
  // evict it.
  for (int attempt = 0; attempt < 3; ++attempt) {
    {
      KASSAY_TRY(SnapshotLock lock, SnapshotLock::Shared(folder_, key));
      auto present = LoadSnapshot(folder_, key);
      if (present) {
        TouchSnapshot(folder_, key);
        present->manifest.facts.why_slow = plan.why_slow;
        return Snapshot(std::make_shared<const Snapshot::State>(Snapshot::State{
            std::move(present->manifest), ArgumentsOf(plan), spec.profile, plan.qemu, folder_ / key,
            std::move(lock), std::move(present->memory), std::move(present->state)}));
      }
    }
    KASSAY_TRY(const SnapshotLock lock, SnapshotLock::Exclusive(folder_, key));
    const auto present = LoadSnapshot(folder_, key);
    if (present) continue;  // another process made it meanwhile
    if (fs::exists(folder_ / key, error))
      Note(options, "the snapshot of " + spec.kernel.identity.spec +
                        " is made again: " + present.error().message);
    KASSAY_CHECK(Make(folder_, plan, key, options));
    TouchSnapshot(folder_, key);
    EvictSnapshots(folder_, key, max_bytes_);
  }
  return Fail("the snapshot of " + spec.kernel.identity.spec + " does not stay in " +
              folder_.string());
}

}  // namespace kassay
