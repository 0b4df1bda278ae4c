#include "suites/dm_verity/hash_tree.h"

#include <algorithm>

#include "harness/base/text/hex.h"
#include "suites/support/trust/fixture.h"
#include "suites/support/trust/signing_key.h"

namespace kassay::verity {
namespace {

trust::DigestName DigestNamed(std::string_view name) {
  if (name == "sha1") return trust::kSha1;
  return name == "sha512" ? trust::kSha512 : trust::kSha256;
}

std::string HashOf(const ImageSpec& spec, std::string_view block) {
  const std::string salt = FromHex(spec.salt_hex).value();
  const std::string text = spec.format == 0 ? std::string(block) + salt : salt + std::string(block);
  return trust::Digest(DigestNamed(spec.algorithm), text);
}

std::uint64_t DigestBytes(const ImageSpec& spec) {
  if (spec.algorithm == "sha1") return 20;
  return spec.algorithm == "sha512" ? 64 : 32;
}

// How far apart digests lie: a power of two from format 1 on.
std::uint64_t Stride(const ImageSpec& spec) {
  return spec.format == 0 ? DigestBytes(spec) : spec.hash_block_size / DigestsPerBlock(spec);
}

std::string LevelAbove(const ImageSpec& spec, std::string_view below, std::uint64_t block_size) {
  std::string level;
  const std::uint64_t per_block = DigestsPerBlock(spec);
  for (std::uint64_t i = 0; i * block_size < below.size(); ++i) {
    if (i % per_block == 0)
      level.resize((level.size() + spec.hash_block_size - 1) / spec.hash_block_size *
                   spec.hash_block_size);
    std::string digest = HashOf(spec, below.substr(i * block_size, block_size));
    digest.resize(Stride(spec), '\0');
    level += digest;
  }
  level.resize((level.size() + spec.hash_block_size - 1) / spec.hash_block_size *
               spec.hash_block_size);
  return level;
}

}  // namespace

std::uint64_t DigestsPerBlock(const ImageSpec& spec) {
  // Rounded down to a power of two, in both formats.
  std::uint64_t count = 1;
  while (count * 2 * DigestBytes(spec) <= spec.hash_block_size) count *= 2;
  return count;
}

std::vector<std::uint64_t> LevelsOf(const ImageSpec& spec) {
  std::vector<std::uint64_t> levels;
  const std::uint64_t per_block = DigestsPerBlock(spec);
  for (std::uint64_t count = spec.blocks; count > 1;) {
    count = (count + per_block - 1) / per_block;
    levels.push_back(count);
  }
  return levels;
}

std::uint64_t FirstBlockOfLevel(const ImageSpec& spec, std::size_t level) {
  const std::vector<std::uint64_t> levels = LevelsOf(spec);
  std::uint64_t first = 0;
  for (std::size_t above = levels.size(); above-- > level + 1;) first += levels[above];
  return first;
}

HashTree BuildTree(const ImageSpec& spec, std::string_view data) {
  HashTree tree;
  std::string level(data);
  std::uint64_t block_size = spec.data_block_size;
  while (level.size() > block_size) {
    level = LevelAbove(spec, level, block_size);
    block_size = spec.hash_block_size;
    tree.blocks.insert(0, level);
  }
  tree.root_hex = ToHex(HashOf(spec, level));
  return tree;
}

}  // namespace kassay::verity
