// Which way a kernel boots, and whether its image can go that way.
#pragma once

#include <string_view>

#include "harness/base/result.h"
#include "harness/vm/machine.h"

namespace kassay {

// QEMU enters an ELF over PVH whatever it was asked for: only an image of the kind that vendors
// ship boots through the firmware. A usage error if `kernel`'s image cannot take this path. What a
// direct boot needs of a bzImage beyond that shows when it is unpacked (direct_image.h).
[[nodiscard]] Status CheckBootPath(const Kernel& kernel, BootMode boot);
// The same of the image's first bytes.
[[nodiscard]] Status CheckBootPath(const Kernel& kernel, std::string_view head, BootMode boot);

// The options' boot mode, else the profile's; a usage error if the kernel's image cannot be booted
// that way. Reads the image's beginning and starts nothing.
[[nodiscard]] Result<BootMode> BootModeFor(const Kernel& kernel, const Profile& profile,
                                           const VmOptions& options);

}  // namespace kassay
