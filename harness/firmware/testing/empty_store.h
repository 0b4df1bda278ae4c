// A store of UEFI variables that firmware has not written to.
#pragma once

#include <string>

#include "harness/firmware/efi.h"

namespace kassay::efi::testing {

// As much of OVMF_VARS.fd as is looked at: a volume's header of 0x48 bytes and a store of `size`.
inline std::string EmptyStore(std::size_t size) {
  const Guid volume{0xfff12b8d, 0x7696, 0x4c8b, {0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50}};
  const Guid authenticated{
      0xaaf32c78, 0x947b, 0x439a, {0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92}};
  std::string store = std::string(16, '\0') + volume.Bytes() + Le(0x48 + size, 8) + "_FVH" +
                      Le(0x4feff, 4) + Le(0x48, 2);
  store.resize(0x48, '\0');
  store += authenticated.Bytes() + Le(size, 4) + "\x5a\xfe" + std::string(6, '\0');
  store.resize(0x48 + size, '\xff');
  return store;
}

}  // namespace kassay::efi::testing
