// What a program finds around it: file systems, loopback, console level.
#pragma once

#include <string>
#include <vector>

#include "harness/protocol/message.h"

namespace kassay::guest {

// Mounts what this kernel has; what it lacks is no trouble, what it has and does not mount is one
// (a line each).
[[nodiscard]] std::vector<std::string> SetUpSurroundings();

// Loads what /kassay/modules.load names, in its order (finit_module(2)); one already there is fine.
[[nodiscard]] std::vector<protocol::ModuleFailure> LoadModules();

}  // namespace kassay::guest
