// The two parts of an initramfs, as archives to be written; see initramfs.h for what is in them.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/image/cpio_image.h"
#include "harness/image/initramfs.h"

namespace kassay {

// Agent, suites with their libraries, fixtures, /etc, and the shell if it is asked for.
[[nodiscard]] Result<CpioImage> UserSpaceSegment(const InitramfsSpec& spec);

// What the harness needs (transport.h) and the profile's modules, with what they depend on, and the
// two lists.
[[nodiscard]] Result<CpioImage> ModuleSegment(const InitramfsSpec& spec);

// What the module segment depends on, without reading a module.
[[nodiscard]] std::string ModuleSegmentKey(const InitramfsSpec& spec);

// Of the profile's modules those that this kernel has neither as a file nor built in.
[[nodiscard]] Result<std::vector<std::string>> MissingModules(const InitramfsSpec& spec);

}  // namespace kassay
