// What the harness itself needs of a kernel to speak with its guest, whatever is tested.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"
#include "harness/kernel/modules.h"
#include "harness/profile/profile.h"

namespace kassay {

// The modules to load before anything else: virtio's transport and console, and its disk where the
// profile has one, as far as `tree` (the kernel's modules) has them as files. Fails with the
// options' names, before a machine is booted in vain, where the configuration says that the kernel
// has them neither built in nor as modules (kUnable), or has them as modules and none were given
// (kUsage). Where no configuration is known, nothing is refused.
[[nodiscard]] Result<std::vector<std::string>> TransportModules(const Kernel& kernel,
                                                                const ModuleTree& tree,
                                                                const Profile& profile);

}  // namespace kassay
