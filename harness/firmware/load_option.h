// EFI_LOAD_OPTION: what Boot#### holds (UEFI specification 2.10, section 3.1.3).
#pragma once

#include <string>
#include <string_view>

namespace kassay::efi {

// Starts the file `path` ("\KERNEL.EFI", ASCII) of whichever disk has it, with `options` as its
// command line: a path without a disk is looked for on all of them (section 3.1.2).
[[nodiscard]] std::string LoadOption(std::string_view path, std::string_view options);

}  // namespace kassay::efi
