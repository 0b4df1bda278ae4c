#include "harness/vm/snapshot_folder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/base/sha256.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

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
  std::string key;
  std::uint64_t bytes = 0;
  fs::file_time_type used;
};

std::vector<Candidate> Snapshots(const fs::path& folder) {
  std::vector<Candidate> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (!entry.is_directory(ignored)) continue;
    const std::string key = entry.path().filename();
    found.push_back({entry.path(), key, BytesOnDisk(entry.path()),
                     fs::last_write_time(folder / (key + ".lock"), ignored)});
  }
  std::sort(found.begin(), found.end(),
            [](const Candidate& a, const Candidate& b) { return a.used < b.used; });
  return found;
}

}  // namespace

std::string ToJson(const Manifest& manifest) {
  const MachineFacts& facts = manifest.facts;
  return Json{{"format", kSnapshotFormat},
              {"key", manifest.key},
              {"qemu_version", facts.qemu_version},
              {"accelerator", Name(facts.accelerator)},
              {"boot", Name(facts.boot)},
              {"command_line", facts.command_line},
              {"kernel_release", facts.kernel_release},
              {"boot_ms", facts.boot_time.count()},
              {"memory_bytes", manifest.memory_bytes},
              {"memory_mtime_ns", manifest.memory_mtime_ns},
              {"state_bytes", manifest.state_bytes},
              {"state_sha256", manifest.state_sha256}}
             .dump(1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

Result<Manifest> ParseManifest(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  const Error damaged{"its manifest is damaged"};
  if (!json.is_object()) return Fail(damaged);
  const auto string = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto number = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : -1;
  };
  if (number("format") != kSnapshotFormat) return Fail("it has another format");
  Manifest manifest;
  manifest.key = string("key");
  MachineFacts& facts = manifest.facts;
  facts.qemu_version = string("qemu_version");
  facts.command_line = string("command_line");
  facts.kernel_release = string("kernel_release");
  facts.boot_time = std::chrono::milliseconds(number("boot_ms"));
  const auto accelerator = ParseAccelerator(string("accelerator"));
  const auto boot = ParseBootMode(string("boot"));
  if (!accelerator || !boot || number("memory_bytes") <= 0 || number("state_bytes") <= 0)
    return Fail(damaged);
  facts.accelerator = *accelerator;
  facts.boot = *boot;
  manifest.memory_bytes = static_cast<std::uint64_t>(number("memory_bytes"));
  manifest.memory_mtime_ns = number("memory_mtime_ns");
  manifest.state_bytes = static_cast<std::uint64_t>(number("state_bytes"));
  manifest.state_sha256 = string("state_sha256");
  return manifest;
}

Result<SnapshotLock> SnapshotLock::Acquire(const fs::path& folder, const std::string& key,
                                           int operation) {
  const fs::path path = folder / (key + ".lock");
  while (true) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd.IsOpen()) return FailErrno("cannot write " + path.string());
    if (::flock(fd.Get(), operation | LOCK_NB) == 0) {
      if (StillThere(fd.Get(), path)) return SnapshotLock(std::move(fd), path);
      continue;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return FailErrno("flock " + path.string());
    // flock cannot be waited for beside Ctrl-C.
    pollfd wait{InterruptFd(), POLLIN, 0};
    static_cast<void>(::poll(&wait, 1, 100));
    if (Interrupted()) return Fail(Interruption());
  }
}

Result<SnapshotLock> SnapshotLock::Shared(const fs::path& folder, const std::string& key) {
  return Acquire(folder, key, LOCK_SH);
}

Result<SnapshotLock> SnapshotLock::Exclusive(const fs::path& folder, const std::string& key) {
  return Acquire(folder, key, LOCK_EX);
}

std::optional<SnapshotLock> SnapshotLock::TryExclusive(const fs::path& folder,
                                                       const std::string& key) {
  const fs::path path = folder / (key + ".lock");
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.IsOpen() || ::flock(fd.Get(), LOCK_EX | LOCK_NB) != 0 || !StillThere(fd.Get(), path))
    return std::nullopt;
  return SnapshotLock(std::move(fd), path);
}

void SnapshotLock::Retire() {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

Status CheckSnapshot(int memory, int state, const Manifest& manifest) {
  struct stat of_memory {};
  struct stat of_state {};
  if (::fstat(memory, &of_memory) != 0 || ::fstat(state, &of_state) != 0)
    return Fail("a part of it is missing");
  if (static_cast<std::uint64_t>(of_memory.st_size) != manifest.memory_bytes ||
      MtimeNs(of_memory) != manifest.memory_mtime_ns)
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
  KASSAY_CHECK(CheckSnapshot(loaded.memory.Get(), loaded.state.Get(), loaded.manifest));
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
    const bool half_made = each.key.ends_with(".making");
    if (each.key == key || (total <= max_bytes && !half_made)) continue;
    // One who makes a snapshot holds the lock of its key, not of the folder that it fills.
    const std::string owner = half_made ? each.path.stem().string() : each.key;
    auto lock = SnapshotLock::TryExclusive(folder, owner);
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
