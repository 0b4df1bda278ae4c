#include "suites/dm_verity/image.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "suites/dm_verity/hash_tree.h"
#include "suites/support/prepare.h"

namespace kassay::verity {
namespace {

std::vector<unsigned> EveryNumberOfRoots() {
  std::vector<unsigned> all;
  for (unsigned roots = kLeastRoots; roots <= kMostRoots; ++roots) all.push_back(roots);
  return all;
}

[[noreturn]] void Die(const std::string& what) {
  std::cerr << "image " << what << "\n";
  std::abort();
}

std::string ReadPrepared(const std::string& name) {
  const std::filesystem::path path = PreparedDir() / name;
  std::ifstream file(path, std::ios::binary);
  if (!file) Die(path.string() + " cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

const std::vector<ImageSpec>& AllImages() {
  static const std::vector<ImageSpec> images = {
      {.name = kPlain, .fec_roots = EveryNumberOfRoots()},
      {.name = kDeep,
       .data_block_size = 1024,
       .hash_block_size = 512,
       .blocks = 600,
       .salt_hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
      {.name = kWithHeader,
       .blocks = 70,
       .algorithm = "sha512",
       .salt_hex = "",
       .has_header = true},
      {.name = kPadded, .blocks = 200, .algorithm = "sha1"},
      {.name = kFormat0, .blocks = 200, .algorithm = "sha1", .format = 0},
      {.name = kOneBlock, .blocks = 1},
  };
  return images;
}

std::string DataOf(const ImageSpec& spec) {
  std::string data;
  data.reserve(spec.blocks * spec.data_block_size);
  std::uint32_t state = 0x9e3779b9;  // xorshift32
  for (std::uint64_t i = 0; i < spec.blocks * spec.data_block_size / 4; ++i) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    data.append(reinterpret_cast<const char*>(&state), 4);
  }
  if (spec.name == kPlain)
    data.replace(kZeroBlock * spec.data_block_size, spec.data_block_size, spec.data_block_size,
                 '\0');
  return data;
}

std::string FileOf(std::string_view image, std::string_view part) {
  return std::string(image) + "." + std::string(part);
}

namespace {

Image ReadAndCheck(std::string_view name) {
  Image image;
  for (const ImageSpec& spec : AllImages()) {
    if (spec.name == name) image.spec = spec;
  }
  image.data = DataOf(image.spec);
  image.tree = ReadPrepared(FileOf(name, "tree"));
  image.root_hex = ReadPrepared(FileOf(name, "root"));
  image.hash_start = image.spec.has_header ? 1 : 0;
  const HashTree ours = BuildTree(image.spec, image.data);
  if (ours.root_hex != image.root_hex) Die(std::string(name) + ": another root hash than ours");
  if (image.tree.substr(image.hash_start * image.spec.hash_block_size) != ours.blocks)
    Die(std::string(name) + ": another tree than ours");
  return image;
}

}  // namespace

const Image& LoadImage(std::string_view name) {
  static std::map<std::string, Image, std::less<>> checked;
  auto found = checked.find(name);
  if (found == checked.end()) found = checked.emplace(name, ReadAndCheck(name)).first;
  return found->second;
}

std::string LoadParity(unsigned roots) {
  return ReadPrepared(FileOf(kPlain, "parity" + std::to_string(roots)));
}

}  // namespace kassay::verity
