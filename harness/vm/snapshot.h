// Boot once, then restore a private copy of the booted machine for every case.
//
//   SnapshotCache cache(folder);
//   KASSAY_TRY(const Snapshot snapshot, cache.Ensure(spec, options));
//   KASSAY_TRY(auto guest, snapshot.Restore());           // any number, at the same time if wanted
//   KASSAY_TRY(auto outcome, guest->Run(command, on_record));
//
// A snapshot is guest memory (a file that every restored machine maps copy-on-write, so that pages
// are shared through the page cache) and the state of the devices. Its key is a hash over all that
// it depends on: kernel image, initramfs, profile, command line, machine arguments, QEMU (version
// and binary), accelerator, host CPU under KVM, and the format's own number.
//
// Thread-safe; several processes may share one cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "harness/base/result.h"
#include "harness/target/lab.h"
#include "harness/vm/machine.h"

namespace kassay {

// Holds a shared lock on its folder, so that no other process evicts it meanwhile. Cheap to copy.
class Snapshot {
 public:
  [[nodiscard]] const TargetFacts& facts() const;
  // 64 hexadecimal digits.
  [[nodiscard]] const std::string& key() const;
  // A machine that goes on where the snapshot was taken. The agent sets clock and random pool anew
  // before it runs anything. Thread-safe.
  [[nodiscard]] Result<std::unique_ptr<Guest>> Restore() const;

  struct State;  // of snapshot.cc
  explicit Snapshot(std::shared_ptr<const State> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const State> state_;
};

class SnapshotCache {
 public:
  // The least recently used snapshots are removed once all together hold more than `max_bytes`
  // on disk; one in use never is.
  explicit SnapshotCache(std::filesystem::path folder,
                         std::uint64_t max_bytes = std::uint64_t{8} << 30);

  // Gives the snapshot that fits, boots and saves one if there is none or if it is damaged (with a
  // note). Waits for another process that makes the same one. A boot that never comes up is an
  // Error with the console's last lines; nothing half-made stays.
  [[nodiscard]] Result<Snapshot> Ensure(const MachineSpec& spec, const VmOptions& options) const;

 private:
  std::filesystem::path folder_;
  std::uint64_t max_bytes_;
};

}  // namespace kassay
