// An image on media, its table, and what must come of loading it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "suites/dm_verity/block_device.h"
#include "suites/dm_verity/image.h"
#include "suites/dm_verity/mapped_device.h"
#include "suites/dm_verity/module.h"
#include "suites/support/case.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::verity {

// The words of a table line
// (Documentation/admin-guide/device-mapper/verity.rst, "Construction Parameters").
struct VerityTable {
  std::uint64_t sectors = 0;
  std::string version;
  std::string data_device;
  std::string hash_device;
  std::string data_block_size;
  std::string hash_block_size;
  std::string blocks;
  std::string hash_start;
  std::string algorithm;
  std::string root;
  std::string salt;
  std::vector<std::string> options;
  std::optional<std::string> option_count;  // instead of the right one
  bool read_only = true;

  [[nodiscard]] std::string Parameters() const;
  // The same with further options.
  [[nodiscard]] VerityTable With(std::vector<std::string> more) const;
};

// What a case cannot do without and the kernel is not asked about: its lack ends the process.
template <typename T>
T OrDie(Result<T> result) {
  if (!result) {
    std::cerr << result.error().message << "\n";
    std::abort();
  }
  return std::move(*result);
}

// An image on loop devices, undamaged. Leaves the process if there are none: call Ready() first.
struct Verity {
  explicit Verity(std::string_view name);
  [[nodiscard]] VerityTable Table() const;
  // Inverts the bytes of a data block, or one byte in it.
  void DamageData(std::uint64_t block) { data.Invert(block * image.spec.data_block_size); }
  // One byte of the digest that a block of the tree holds for `child`; `block` counts on its level.
  void DamageTree(std::size_t level, std::uint64_t block, std::uint64_t child = 0);
  // Where a block of a level lies, as the kernel counts: from the medium's begin.
  [[nodiscard]] std::uint64_t TreeBlock(std::size_t level, std::uint64_t block) const;

  Image image;
  BlockDevice data;
  BlockDevice hash;
};

// Whether the device tells the number of corrected blocks, or "-", behind its letter (since 6.19).
[[nodiscard]] bool TellsCount();
// A status as this kernel writes it: "V -", or "V" of a kernel that tells no count.
[[nodiscard]] std::string Told(const std::string& status);

// A loaded table that was resumed; `error` is the first step's that failed.
struct Activation {
  long error = 0;
  MappedDevice device;
};
[[nodiscard]] Activation Activate(const VerityTable& table);

// Expects `error`, and that the device stays without table and without data.
void ExpectRefused(const VerityTable& table, int error, const std::string& what);
// Expects that the table loads, the device says that all is well, and every block reads as it was
// written.
void ExpectGood(const Image& image, const VerityTable& table, const std::string& what);

// Expectations about one block of a device.
void ExpectReads(const MappedDevice& device, const Image& image, std::uint64_t block,
                 const std::string& what);
void ExpectUnreadable(const MappedDevice& device, const Image& image, std::uint64_t block,
                      const std::string& what);

// Loads the target's module with the parameters of the kernel's command line, as modprobe does,
// where it is a module and not loaded yet. Empty, or why there is no dm-verity.
[[nodiscard]] std::string MakeReady();
#define REQUIRE_VERITY() \
  if (const std::string why = ::kassay::verity::MakeReady(); !why.empty()) KASSAY_UNMET(why)

}  // namespace kassay::verity
