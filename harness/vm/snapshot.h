// Boot once, then restore a private copy of the booted machine for every case.
//
//   KASSAY_TRY(const Snapshot snapshot, Snapshot::Ensure(folder, spec, options));
//   KASSAY_TRY(auto guest, snapshot.Restore());           // any number, at the same time if wanted
//   KASSAY_TRY(auto outcome, guest->Run(command, on_record));
//
// A snapshot is guest memory (a file that every restored machine maps copy-on-write, so that pages
// are shared through the page cache) and the state of the devices. Its key is a hash over all that
// it depends on: kernel image, initramfs, profile, command line, machine arguments, firmware and
// what is enrolled in it, QEMU (version and binary), accelerator, CPU model, under KVM the host's
// CPU and kernel, and the format's own number.
//
// Thread-safe; several processes may share one folder.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "harness/base/result.h"
#include "harness/target/lab.h"
#include "harness/vm/boot.h"
#include "harness/vm/machine.h"
#include "harness/vm/snapshot_folder.h"

namespace kassay {

// Holds a shared lock on its folder, so that no other process evicts it meanwhile.
class Snapshot {
 public:
  // Gives the snapshot in `folder` that fits, boots and saves one if there is none or if it is
  // damaged (with a note). Waits for another process that makes the same one. A boot that never
  // comes up is an Error with the console's last lines; nothing half-made stays. The least recently
  // used snapshots are removed once all together hold more than 8 GiB on disk; one in use never is.
  [[nodiscard]] static Result<Snapshot> Ensure(const std::filesystem::path& folder,
                                               const MachineSpec& spec, const VmOptions& options);

  [[nodiscard]] const TargetFacts& facts() const { return files_.manifest.facts; }
  // 64 hexadecimal digits.
  [[nodiscard]] const std::string& key() const { return files_.manifest.key; }
  // A machine that goes on where the snapshot was taken. The agent sets clock and random pool anew
  // before it runs anything. Thread-safe.
  [[nodiscard]] Result<std::unique_ptr<Guest>> Restore() const;

 private:
  Snapshot(std::filesystem::path path, LoadedSnapshot files, SnapshotLock lock,
           const BootPlan& plan)
      : path_(std::move(path)),
        files_(std::move(files)),
        lock_(std::move(lock)),
        qemu_(plan.qemu.path),
        profile_(plan.spec->profile),
        arguments_(ArgumentsOf(plan)),
        uefi_(plan.uefi) {}

  std::filesystem::path path_;
  // What was found whole when the snapshot was taken up. The lock keeps kassay itself from removing
  // it; a person who tidies up the cache knows no locks, and need not break a run.
  LoadedSnapshot files_;
  SnapshotLock lock_;
  std::filesystem::path qemu_;
  Profile profile_;
  MachineArguments arguments_;  // without descriptors and profile
  std::shared_ptr<const Uefi> uefi_;
};

}  // namespace kassay
