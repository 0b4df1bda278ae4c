// The images that the cases load: made on the host with libcryptsetup, an implementation of the
// format that is not the kernel's, and checked here by a computation that is neither's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kassay::verity {

struct ImageSpec {
  std::string_view name;
  unsigned data_block_size = 4096;  // bytes
  unsigned hash_block_size = 4096;
  std::uint64_t blocks = 256;  // of data
  std::string_view algorithm = "sha256";
  std::string_view salt_hex = "00112233";  // empty for none
  unsigned format = 1;                     // 0 hashes the salt after the data, 1 before it
  bool has_header = false;                 // a superblock in front of the tree
  std::vector<unsigned> fec_roots;         // one parity file each
};

// Two levels of tree, 3 blocks of it; the one with parity, for every number of roots.
inline constexpr std::string_view kPlain = "plain";
// Three levels: 38, 3 and 1 blocks of 512 bytes over 600 blocks of 1024.
inline constexpr std::string_view kDeep = "deep";
inline constexpr std::string_view kWithHeader = "with_header";  // behind a superblock, no salt
inline constexpr std::string_view kPadded = "padded";           // digests of 20 bytes, 32 apart
inline constexpr std::string_view kFormat0 = "format0";         // digests of 20 bytes, side by side
inline constexpr std::string_view kOneBlock = "one_block";      // no tree: the root is the block's
[[nodiscard]] const std::vector<ImageSpec>& AllImages();

inline constexpr unsigned kLeastRoots = 2;
inline constexpr unsigned kMostRoots = 24;

// A block of kPlain that is all zeros (for ignore_zero_blocks).
inline constexpr std::uint64_t kZeroBlock = 7;
// The data of an image: the same in every run, no two blocks alike.
[[nodiscard]] std::string DataOf(const ImageSpec& spec);

struct Image {
  ImageSpec spec;
  std::string data;
  std::string tree;  // with the superblock, if there is one
  std::string root_hex;
  std::uint64_t hash_start = 0;  // in blocks of the tree

  [[nodiscard]] std::string_view Block(std::uint64_t number) const {
    return std::string_view(data).substr(number * spec.data_block_size, spec.data_block_size);
  }
};

// Reads a prepared image and computes its tree and root anew. An image that is missing or is not
// what the computation gives ends the suite: that is the project's fault, not the kernel's.
// Computed once a process.
[[nodiscard]] const Image& LoadImage(std::string_view name);
// The parity of kPlain for this many roots.
[[nodiscard]] std::string LoadParity(unsigned roots);

// The name of an image's file: "plain.data", "plain.tree", "plain.root", "plain.parity3".
[[nodiscard]] std::string FileOf(std::string_view image, std::string_view part);

// Blocks of tree on each level, the one above the data first; empty for a single block.
[[nodiscard]] std::vector<std::uint64_t> LevelsOf(const ImageSpec& spec);
// Where a level begins, in blocks of the tree from hash_start on: the topmost comes first
// (Documentation/admin-guide/device-mapper/verity.rst, "Hash tree").
[[nodiscard]] std::uint64_t FirstBlockOfLevel(const ImageSpec& spec, std::size_t level);
[[nodiscard]] std::uint64_t DigestsPerBlock(const ImageSpec& spec);

}  // namespace kassay::verity
