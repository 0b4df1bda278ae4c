#include "harness/vm/snapshot_folder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/base/sha256.h"
#include "harness/base/text/json_fields.h"
#include "harness/result/json_identity.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

std::int64_t MtimeNs(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

// The lock's file may have been retired between open and flock.
bool StillThere(int fd, const fs::path& path) {
  struct stat open_file {};
  struct stat named_file {};
  return ::fstat(fd, &open_file) == 0 && ::stat(path.c_str(), &named_file) == 0 &&
         open_file.st_ino == named_file.st_ino && open_file.st_dev == named_file.st_dev;
}

std::uint64_t BytesOnDisk(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) == 0)
      bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  return bytes;
}

struct Candidate {
  fs::path path;
  std::uint64_t bytes = 0;
  fs::file_time_type used;
};

std::vector<Candidate> Snapshots(const fs::path& folder) {
  std::vector<Candidate> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (!entry.is_directory(ignored)) continue;
    found.push_back({entry.path(), BytesOnDisk(entry.path()),
                     fs::last_write_time(entry.path().string() + ".lock", ignored)});
  }
  std::ranges::sort(found, {}, &Candidate::used);
  return found;
}

}  // namespace

static void Describe(JsonFields& fields, Manifest& manifest) {
  TargetFacts& facts = manifest.facts;
  auto boot_ms = static_cast<std::int64_t>(facts.boot_time.count());
  fields("format", manifest.format);
  fields("key", manifest.key);
  fields("qemu_version", facts.emulator);
  fields("accelerator", facts.accelerator);
  fields("boot", facts.boot);
  fields("command_line", facts.command_line);
  fields.Optional("firmware", facts.firmware);
  fields("boot_ms", boot_ms);
  fields("memory_bytes", manifest.memory_bytes);
  fields("memory_mtime_ns", manifest.memory_mtime_ns);
  fields("state_bytes", manifest.state_bytes);
  fields("state_sha256", manifest.state_sha256);
  facts.boot_time = std::chrono::milliseconds(boot_ms);
}

std::string ToJson(const Manifest& manifest) { return DumpJson(JsonOf(manifest), 1) + "\n"; }

Result<Manifest> ParseManifest(const std::string& text) {
  std::string problem;
  const auto json = ParseJson(text);
  if (!json) return Fail("its manifest is damaged");
  const auto manifest = ReadJson<Manifest>(*json, "", problem);
  if (manifest.format != kSnapshotFormat) return Fail("it has another format");
  if (!problem.empty() || manifest.memory_bytes == 0 || manifest.state_bytes == 0)
    return Fail("its manifest is damaged");
  return manifest;
}

Result<SnapshotLock> SnapshotLock::Acquire(const fs::path& folder, const std::string& key,
                                           int operation, bool wait) {
  const fs::path path = folder / (key + ".lock");
  while (true) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd.IsOpen()) return FailErrno("cannot write " + path.string());
    if (::flock(fd.Get(), operation | LOCK_NB) == 0) {
      if (StillThere(fd.Get(), path)) return SnapshotLock(std::move(fd), path);
      continue;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return FailErrno("flock " + path.string());
    if (!wait) return Fail(path.string() + " is in use");
    // flock cannot be waited for beside Ctrl-C.
    pollfd interrupt{InterruptFd(), POLLIN, 0};
    static_cast<void>(::poll(&interrupt, 1, 100));
    if (Interrupted()) return Fail(Interruption());
  }
}

void SnapshotLock::Retire() {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

// A cache that CI keeps in an archive may bring times back in whole seconds.
static bool IsSameTime(std::int64_t found_ns, std::int64_t recorded_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return found_ns == recorded_ns ||
         (found_ns % kSecond == 0 && found_ns / kSecond == recorded_ns / kSecond);
}

Status CheckSnapshot(const LoadedSnapshot& snapshot) {
  const Manifest& manifest = snapshot.manifest;
  struct stat of_memory {};
  struct stat of_state {};
  if (::fstat(snapshot.memory.Get(), &of_memory) != 0 ||
      ::fstat(snapshot.state.Get(), &of_state) != 0)
    return Fail("a part of it is missing");
  if (static_cast<std::uint64_t>(of_memory.st_size) != manifest.memory_bytes ||
      !IsSameTime(MtimeNs(of_memory), manifest.memory_mtime_ns))
    return Fail("its memory was changed");
  if (static_cast<std::uint64_t>(of_state.st_size) != manifest.state_bytes)
    return Fail("its device state was changed");
  return {};
}

Result<LoadedSnapshot> LoadSnapshot(const fs::path& folder, const std::string& key) {
  const fs::path snapshot = folder / key;
  KASSAY_TRY(const std::string text, ReadFile(snapshot / "manifest.json", 65536));
  LoadedSnapshot loaded;
  KASSAY_TRY(loaded.manifest, ParseManifest(text));
  if (loaded.manifest.key != key) return Fail("its manifest is another's");
  const auto open = [&](const char* name) {
    return UniqueFd(::open((snapshot / name).c_str(), O_RDONLY | O_CLOEXEC));
  };
  loaded.memory = open("memory");
  loaded.state = open("state");
  if (!loaded.memory.IsOpen() || !loaded.state.IsOpen()) return Fail("a part of it is missing");
  KASSAY_CHECK(CheckSnapshot(loaded));
  KASSAY_TRY(const std::string hash,
             Sha256HexOfFile("/proc/self/fd/" + std::to_string(loaded.state.Get())));
  if (hash != loaded.manifest.state_sha256) return Fail("its device state was changed");
  return loaded;
}

void EvictSnapshots(const fs::path& folder, const std::string& key, std::uint64_t max_bytes) {
  std::error_code ignored;
  const std::vector<Candidate> snapshots = Snapshots(folder);
  std::uint64_t total = 0;
  for (const Candidate& each : snapshots) total += each.bytes;
  for (const Candidate& each : snapshots) {
    const bool half_made = each.path.extension() == ".making";
    if (each.path.filename() == key || (total <= max_bytes && !half_made)) continue;
    // One who makes a snapshot holds the lock of its key, not of the folder that it fills.
    auto lock =
        SnapshotLock::TryExclusive(folder, half_made ? each.path.stem() : each.path.filename());
    if (!lock) continue;
    fs::remove_all(each.path, ignored);
    if (!half_made) lock->Retire();
    total -= each.bytes;
  }
}

void TouchSnapshot(const fs::path& folder, const std::string& key) {
  std::error_code ignored;
  fs::last_write_time(folder / (key + ".lock"), fs::file_time_type::clock::now(), ignored);
}

}  // namespace kassay
