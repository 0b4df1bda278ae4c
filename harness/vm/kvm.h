// Whether QEMU's KVM works here: proven by a boot, because a /dev/kvm that opens and creates a
// machine may still be unable to run a kernel.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "harness/base/result.h"
#include "harness/vm/boot.h"
#include "harness/vm/machine.h"

namespace kassay {

// Number, owner, group, mode and last change of the device; "none" if there is none. What is
// remembered of KVM holds for these alone.
[[nodiscard]] std::string KvmDeviceFacts(const std::filesystem::path& device);

// Why the user that QEMU runs as may not open the device, and the command that mends it.
struct KvmTrouble {
  std::string what;
  std::string remedy;
};
[[nodiscard]] std::optional<KvmTrouble> KvmTroubleWith(const std::filesystem::path& device);

// One line; empty if KVM works for this plan. An Error only for Ctrl-C and for a kernel that cannot
// be given to QEMU this way, which says nothing of KVM.
//
// The answer is remembered in VmOptions::cache_dir, for the same host boot, device, QEMU and user.
// A remembered yes is proven again: QEMU opens KVM, without a machine. VmOptions::kvm_anew asks as
// if nothing were remembered.
[[nodiscard]] Result<std::string> WhyNoKvm(const BootPlan& plan, const VmOptions& options);

}  // namespace kassay
