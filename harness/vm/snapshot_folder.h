// The snapshots on disk: FOLDER/KEY/{memory,state,manifest.json} and FOLDER/KEY.lock. A folder
// appears whole, by rename; its manifest is what it is checked against.
#pragma once

#include <sys/file.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"
#include "harness/target/lab.h"

namespace kassay {

// Grows when an older snapshot must not be used any more.
inline constexpr int kSnapshotFormat = 2;

struct Manifest {
  int format = kSnapshotFormat;
  std::string key;
  TargetFacts facts;  // but for why_slow and cpu, which the user of the snapshot knows
  std::uint64_t memory_bytes = 0;
  std::int64_t memory_mtime_ns = 0;  // nobody writes to it once it is made
  std::uint64_t state_bytes = 0;
  std::string state_sha256;
};
[[nodiscard]] std::string ToJson(const Manifest& manifest);
[[nodiscard]] Result<Manifest> ParseManifest(const std::string& text);

// A flock(2) on KEY.lock: shared by those who use the snapshot, exclusive for who makes or removes
// it. Ends with its owner's last copy, and with the process.
class SnapshotLock {
 public:
  // Waits; returns Interruption() on Ctrl-C.
  [[nodiscard]] static Result<SnapshotLock> Shared(const std::filesystem::path& folder,
                                                   const std::string& key) {
    return Acquire(folder, key, LOCK_SH, /*wait=*/true);
  }
  [[nodiscard]] static Result<SnapshotLock> Exclusive(const std::filesystem::path& folder,
                                                      const std::string& key) {
    return Acquire(folder, key, LOCK_EX, /*wait=*/true);
  }
  // Fails at once if somebody else has it.
  [[nodiscard]] static Result<SnapshotLock> TryExclusive(const std::filesystem::path& folder,
                                                         const std::string& key) {
    return Acquire(folder, key, LOCK_EX, /*wait=*/false);
  }
  // Removes the lock's file; only with an exclusive lock.
  void Retire();

 private:
  SnapshotLock(UniqueFd fd, std::filesystem::path path)
      : fd_(std::move(fd)), path_(std::move(path)) {}
  [[nodiscard]] static Result<SnapshotLock> Acquire(const std::filesystem::path& folder,
                                                    const std::string& key, int operation,
                                                    bool wait);
  UniqueFd fd_;
  std::filesystem::path path_;
};

struct LoadedSnapshot {
  Manifest manifest;
  UniqueFd memory;  // both open for reading
  UniqueFd state;
};
// Size and time of the memory and size of the state are as the manifest says. The Error says what
// is wrong.
[[nodiscard]] Status CheckSnapshot(const LoadedSnapshot& snapshot);
// Opens FOLDER/KEY and checks it, the state's hash included.
[[nodiscard]] Result<LoadedSnapshot> LoadSnapshot(const std::filesystem::path& folder,
                                                  const std::string& key);

// Removes least recently used snapshots, except KEY and those in use, until all that stay hold at
// most `max_bytes`; also what a killed process left half-made.
void EvictSnapshots(const std::filesystem::path& folder, const std::string& key,
                    std::uint64_t max_bytes);

// Marks it as used now.
void TouchSnapshot(const std::filesystem::path& folder, const std::string& key);

}  // namespace kassay
