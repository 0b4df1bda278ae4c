#include "harness/vm/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/vm/qemu_user.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxBytesOnDisk = std::uint64_t{8} << 30;

// The guest's own start-up work that hello did not wait for.
constexpr std::chrono::milliseconds kSettle{500};

// A saved state loads in a fraction of a second.
constexpr std::chrono::seconds kLoadLimit{60};

// What KVM's part of a saved machine depends on: the CPU, and the host's kernel, for another one
// may refuse a register that this one saved.
std::string HostOf(const Architecture& architecture) {
  utsname host{};
  static_cast<void>(::uname(&host));
  std::string cpu = std::string(host.release) + "\n";
  const auto text = ReadFile("/proc/cpuinfo", std::size_t{16} << 20);
  if (!text) return cpu;
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
  if (plan.uefi)
    arguments.fds.firmware_code = arguments.fds.firmware_variables = arguments.fds.boot_disk = 0;
  arguments.restored = true;
  Json key = {
      {"format", kSnapshotFormat},
      {"agent", protocol::kVersion},
      {"image", spec.kernel.identity.image_sha256},
      {"initramfs", spec.initramfs.sha256},
      {"command_line", arguments.kernel_command_line},
      {"modules", profile.modules},
      {"disk_mib", profile.disk_mib},
      {"boot", Name(plan.boot)},
      {"arguments", QemuArguments(arguments)},
      {"qemu", {plan.qemu.version, plan.qemu.path.string(), binary.st_size, binary.st_mtim.tv_sec}},
      {"cpu", plan.accelerator == Accelerator::kKvm ? HostOf(*arguments.architecture) : ""}};
  if (plan.uefi) {
    key["firmware"] = plan.uefi->record.sha256;
    key["variables"] = Sha256Hex(plan.uefi->store);
  }
  return Sha256Hex(key.dump());
}

// Flushes the file and gives it its final time.
Result<std::int64_t> Settle(int fd) {
  if (::fsync(fd) != 0) return FailErrno("cannot write the snapshot");
  struct stat status {};
  if (::fstat(fd, &status) != 0) return FailErrno("fstat");
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

// Room for all of the guest's memory, before the guest writes to it: where a file system is full, a
// write through a mapping is SIGBUS in QEMU.
Status Reserve(int fd, std::uint64_t bytes, const fs::path& folder) {
  const auto size = static_cast<off_t>(bytes);
  if (::fallocate(fd, 0, 0, size) == 0) return {};
  if (errno == ENOSPC || errno == EDQUOT) {
    return Fail("no room for a snapshot of " + std::to_string(bytes >> 20) + " MiB in " +
                folder.parent_path().string() +
                ": free some, or set KASSAY_CACHE_DIR to a folder elsewhere");
  }
  // Not every file system can; then it is as full as it is.
  return ::ftruncate(fd, size) == 0 ? Status() : FailErrno("cannot write " + folder.string());
}

// Gives back what the guest never wrote to.
void ReturnHoles(int fd, std::uint64_t bytes) {
  const auto end = static_cast<off_t>(bytes);
  off_t at = 0;
  while (at < end) {
    const off_t hole = ::lseek(fd, at, SEEK_HOLE);
    if (hole < 0 || hole >= end) return;
    const off_t data = ::lseek(fd, hole, SEEK_DATA);
    at = data < 0 ? end : data;
    if (::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, hole, at - hole) != 0) return;
  }
}

// Fills `folder`, which exists and is empty.
Status MakeIn(const fs::path& folder, const BootPlan& plan, const std::string& key,
              const VmOptions& options) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(plan.spec->profile.memory_mib) << 20;
  const UniqueFd memory(
      ::open((folder / "memory").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const UniqueFd state(
      ::open((folder / "state").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!memory.IsOpen() || !state.IsOpen()) return FailErrno("cannot write " + folder.string());
  KASSAY_CHECK(Reserve(memory.Get(), bytes, folder));
  KASSAY_CHECK(GiveToQemu(memory.Get()));

  BootPlan with_memory = plan;
  with_memory.memory = memory.Get();
  KASSAY_TRY(BootedMachine booted, BootOrExplain(with_memory, options));
  KASSAY_CHECK(booted.guest->Idle(kSettle));
  KASSAY_CHECK(booted.guest->SaveTo(state.Get()));
  booted.guest.reset();
  ReturnHoles(memory.Get(), bytes);

  Manifest manifest;
  manifest.key = key;
  manifest.facts = booted.facts;
  manifest.memory_bytes = bytes;
  KASSAY_TRY(manifest.memory_mtime_ns, Settle(memory.Get()));
  KASSAY_CHECK(Settle(state.Get()));
  manifest.state_bytes = fs::file_size(folder / "state");
  KASSAY_TRY(manifest.state_sha256, Sha256HexOfFile(folder / "state"));
  return WriteFileAtomically(folder / "manifest.json", ToJson(manifest));
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
  Status made = MakeIn(making, plan, key, options);
  if (!made) {
    fs::remove_all(making, error);
    return made;
  }
  fs::rename(making, folder / key, error);
  if (error) return Fail("cannot keep the snapshot: " + error.message());
  return {};
}

}  // namespace

Result<std::unique_ptr<Guest>> Snapshot::Restore() const {
  const Status whole = CheckSnapshot(files_);
  if (!whole) return Fail(whole.error().Within("the snapshot " + path_.string()));
  const UniqueFd memory = OpenAgain(files_.memory);
  const UniqueFd state = OpenAgain(files_.state);
  if (!memory.IsOpen() || !state.IsOpen()) return FailErrno(path_.string());
  KASSAY_TRY(const UniqueFd disk, BlankDisk(profile_));
  MachineArguments arguments = arguments_;
  arguments.profile = &profile_;
  arguments.fds.memory = memory.Get();
  arguments.fds.disk = disk.Get();
  arguments.fds.state = state.Get();
  arguments.restored = true;
  UefiFiles firmware;
  if (uefi_) {
    KASSAY_TRY(firmware, BlankUefiFiles(*uefi_));
    arguments.fds.firmware_code = uefi_->code.Get();
    arguments.fds.firmware_variables = firmware.variables.Get();
    arguments.fds.boot_disk = firmware.boot_disk.Get();
  }
  KASSAY_TRY(std::unique_ptr<LiveMachine> machine, LiveMachine::Start(qemu_, arguments));
  KASSAY_CHECK(machine->WaitUntilLoaded(kLoadLimit));
  return machine;
}

Result<Snapshot> Snapshot::Ensure(const fs::path& folder, const MachineSpec& spec,
                                  const VmOptions& options) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Fail("cannot make " + folder.string() + ": " + error.message());
  KASSAY_TRY(const BootPlan plan, PlanBoot(spec, options));
  if (options.accelerator == Accelerator::kAuto && !plan.why_slow.empty())
    Note(options, "emulation instead of KVM: " + plan.why_slow);
  KASSAY_TRY(const std::string key, KeyOf(plan));

  // Between the exclusive lock of who makes it and the shared one of who uses it, somebody may
  // evict it.
  for (int attempt = 0; attempt < 3; ++attempt) {
    {
      KASSAY_TRY(SnapshotLock lock, SnapshotLock::Shared(folder, key));
      auto present = LoadSnapshot(folder, key);
      if (present) {
        TouchSnapshot(folder, key);
        present->manifest.facts.why_slow = plan.why_slow;
        present->manifest.facts.cpu = plan.cpu;  // the key holds it
        return Snapshot(folder / key, std::move(*present), std::move(lock), plan);
      }
    }
    KASSAY_TRY(const SnapshotLock lock, SnapshotLock::Exclusive(folder, key));
    const auto present = LoadSnapshot(folder, key);
    if (present) continue;  // another process made it meanwhile
    if (fs::exists(folder / key, error))
      Note(options, "the snapshot of " + NameOf(spec.kernel.identity) +
                        " is made again: " + present.error().message);
    KASSAY_CHECK(Make(folder, plan, key, options));
    TouchSnapshot(folder, key);
    EvictSnapshots(folder, key, kMaxBytesOnDisk);
  }
  return Fail("the snapshot of " + NameOf(spec.kernel.identity) + " does not stay in " +
              folder.string());
}

}  // namespace kassay
