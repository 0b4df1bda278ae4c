#include "suites/fs_verity/merkle_tree.h"

#include <cstdint>
#include <vector>

#include "suites/support/trust/signing_key.h"

namespace kassay::verity {
namespace {

struct HashFunction {
  trust::DigestName name;
  std::size_t bytes;
  std::size_t block;  // FIPS 180-4, section 1
};

HashFunction FunctionOf(unsigned algorithm) {
  if (algorithm == kSha512Algorithm) return {trust::kSha512, 64, 128};
  return {trust::kSha256, 32, 64};
}

template <typename Number>
std::string LittleEndian(Number number) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof number; ++i)
    bytes += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
  return bytes;
}

std::string Padded(std::string_view bytes, std::size_t size) {
  std::string padded(bytes);
  padded.resize(size, '\0');
  return padded;
}

// The hashes of all blocks of `bytes`, the last one filled up with zeros.
std::string HashBlocks(std::string_view bytes, const Setting& setting) {
  std::string hashes;
  for (std::size_t at = 0; at < bytes.size(); at += setting.block_size)
    hashes += SaltedHash(Padded(bytes.substr(at, setting.block_size), setting.block_size), setting);
  return hashes;
}

std::size_t RoundUp(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

std::string Descriptor(std::size_t file_size, const std::string& root_hash,
                       const Setting& setting) {
  unsigned log_block = 0;
  while ((1U << log_block) < setting.block_size) ++log_block;
  std::string bytes;
  bytes += static_cast<char>(1);  // version
  bytes += static_cast<char>(setting.algorithm);
  bytes += static_cast<char>(log_block);
  bytes += static_cast<char>(setting.salt.size());
  bytes += LittleEndian<std::uint32_t>(0);  // the signature's size is left out of the digest
  bytes += LittleEndian<std::uint64_t>(file_size);
  bytes += Padded(root_hash, 64);
  bytes += Padded(setting.salt, 32);
  return Padded(bytes, kDescriptorSize);
}

}  // namespace

std::string SaltedHash(std::string_view bytes, const Setting& setting) {
  const HashFunction function = FunctionOf(setting.algorithm);
  const std::string salt = setting.salt.empty()
                               ? ""
                               : Padded(setting.salt, RoundUp(setting.salt.size(), function.block));
  return trust::Digest(function.name, salt + std::string(bytes));
}

MerkleTree::MerkleTree(std::string_view content, const Setting& setting) {
  const HashFunction function = FunctionOf(setting.algorithm);
  std::string hashes = HashBlocks(content, setting);
  while (hashes.size() > function.bytes) {
    const std::string level = Padded(hashes, RoundUp(hashes.size(), setting.block_size));
    tree.insert(0, level);
    hashes = HashBlocks(level, setting);
    ++levels;
  }
  root_hash = content.empty() ? std::string(function.bytes, '\0') : hashes;
  descriptor = Descriptor(content.size(), root_hash, setting);
  file_digest = trust::Digest(function.name, descriptor);
}

std::string FormattedDigest(std::string_view digest, unsigned algorithm) {
  return "FSVerity" + LittleEndian(static_cast<std::uint16_t>(algorithm)) +
         LittleEndian(static_cast<std::uint16_t>(digest.size())) + std::string(digest);
}

}  // namespace kassay::verity
