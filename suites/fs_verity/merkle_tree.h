// What fs-verity keeps of a file, computed here from the file's content alone, after
// Documentation/filesystems/fsverity.rst ("Merkle tree", "fs-verity descriptor"). It shares nothing
// with the kernel but the definition.
#pragma once

#include <string>
#include <string_view>

#include "suites/fs_verity/verity_file.h"

namespace kassay::verity {

struct MerkleTree {
  MerkleTree(std::string_view content, const Setting& setting);

  std::string tree;         // all levels, the root's first; empty for at most one block
  std::string root_hash;    // zeros for an empty file
  std::string descriptor;   // kDescriptorSize bytes
  std::string file_digest;  // of the descriptor
  int levels = 0;
};

// One hash over the salt, padded to a block of the hash function, and the bytes.
[[nodiscard]] std::string SaltedHash(std::string_view bytes, const Setting& setting);

// What a built-in signature is made over: "FSVerity", algorithm, size and digest.
[[nodiscard]] std::string FormattedDigest(std::string_view digest, unsigned algorithm);

}  // namespace kassay::verity
