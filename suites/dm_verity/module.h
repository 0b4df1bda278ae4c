// dm-verity as a module, with the parameters that the command line gives it.
#pragma once

#include <string>

namespace kassay::verity {

// Whether the image brings it as a module; a built-in one takes its parameters from the command
// line.
[[nodiscard]] bool IsModule();
// The words "dm_verity.NAME=VALUE" of /proc/cmdline as a module takes them: "NAME=VALUE ...".
[[nodiscard]] std::string CommandLineParameters();
// finit_module(2) of it and of what it depends on. 0 (also if it is loaded) or a negative errno;
// -ENOENT if the image has no such module.
[[nodiscard]] long LoadModule(const std::string& parameters = CommandLineParameters());
// delete_module(2): 0 or a negative errno.
[[nodiscard]] long UnloadModule();

// Of /sys/module/dm_verity/parameters: "Y", "N", or "" if there is no such parameter.
[[nodiscard]] std::string Parameter(const std::string& name);

}  // namespace kassay::verity
