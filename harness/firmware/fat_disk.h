// A disk with a FAT file system, as UEFI firmware boots from it (UEFI specification 2.10, section
// 13.3; Microsoft's "FAT: General Overview of On-Disk Format" 1.03). Without partitions: the whole
// disk is the file system.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace kassay::efi {

struct FatFile {
  std::string name;  // "KERNEL.EFI": upper case, at most eight characters, a dot, at most three
  std::string_view bytes;
};

// In the root folder, one after the other. Fails on a name of another form, on more than 500 files
// and on more than 1 GiB.
[[nodiscard]] Result<std::string> FatDisk(const std::vector<FatFile>& files);
// How large a disk with files of these sizes is.
[[nodiscard]] Result<std::uint64_t> FatDiskBytes(const std::vector<std::uint64_t>& sizes);

}  // namespace kassay::efi
