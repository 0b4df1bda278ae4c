// Programs of this machine.
#pragma once

#include <filesystem>
#include <string>

namespace kassay {

// The first executable of that name in the folders of $PATH (/usr/bin if it is not set); empty if
// there is none.
[[nodiscard]] std::filesystem::path FindProgram(const std::string& name);

}  // namespace kassay
