// The tree of dm-verity, computed with libcrypto from the format's description
// (Documentation/admin-guide/device-mapper/verity.rst): digest(salt || block), digests side by side
// in blocks that are padded with zeros, level by level up to one block, whose digest is the root.
#pragma once

#include <string>
#include <string_view>

#include "suites/dm_verity/image.h"

namespace kassay::verity {

struct HashTree {
  std::string blocks;  // topmost level first
  std::string root_hex;
};
[[nodiscard]] HashTree BuildTree(const ImageSpec& spec, std::string_view data);

}  // namespace kassay::verity
