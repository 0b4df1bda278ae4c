// A medium with a block that gives EIO: a table of linear and error targets over it.
#pragma once

#include "suites/dm_verity/block_device.h"
#include "suites/dm_verity/mapped_device.h"

namespace kassay::verity {

// `block` counts blocks of 4096 bytes and is neither the first nor the last.
[[nodiscard]] inline Result<MappedDevice> UnreadableBlock(const BlockDevice& medium,
                                                          std::uint64_t block) {
  constexpr std::uint64_t kSectors = 8;
  const std::uint64_t begin = block * kSectors;
  const std::uint64_t end = begin + kSectors;
  KASSAY_TRY(MappedDevice device, MappedDevice::Create());
  const std::string name = medium.MajorMinor() + " ";
  const long error =
      device.Load({{.start = 0, .length = begin, .type = "linear", .parameters = name + "0"},
                   {.start = begin, .length = kSectors, .type = "error", .parameters = ""},
                   {.start = end,
                    .length = medium.Sectors() - end,
                    .type = "linear",
                    .parameters = name + std::to_string(end)}});
  if (error != 0) return FailErrno("a table with an error target", static_cast<int>(-error));
  if (const long resumed = device.Resume(); resumed != 0)
    return FailErrno("DM_DEV_SUSPEND", static_cast<int>(-resumed));
  return device;
}

}  // namespace kassay::verity
