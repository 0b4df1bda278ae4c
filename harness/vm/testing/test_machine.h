// What the VM's own tests and benchmark boot: a stock kernel, an image with the agent and `probe`.
#pragma once

#include <filesystem>
#include <string>

#include "harness/base/result.h"
#include "harness/vm/machine.h"

namespace kassay::testing {

inline constexpr const char* kProbe = "/bin/probe";

// The kernel is the one that $KASSAY_TEST_KERNEL specifies (see store.h), else debian:7.0.13. The
// initramfs is written into `folder`.
[[nodiscard]] Result<MachineSpec> TestMachine(const std::filesystem::path& folder);

// How it is carried: as usual, or as $KASSAY_TEST_ACCEL ("kvm") and $KASSAY_TEST_CPU ("qemu64")
// say. What is known of KVM is remembered in the installation's cache.
[[nodiscard]] Result<VmOptions> TestOptions();

// A folder below the system's temporary one that goes with its owner.
class ScratchFolder {
 public:
  ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace kassay::testing
