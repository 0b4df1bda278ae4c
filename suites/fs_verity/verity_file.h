// Files with fs-verity as a case handles them: making one, enabling, measuring, reading metadata
// (include/uapi/linux/fsverity.h; Documentation/filesystems/fsverity.rst). Calls give 0, a count,
// or a negative errno.
#pragma once

#include <linux/fsverity.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/unique_fd.h"

namespace kassay::verity {

inline constexpr std::uint32_t kSha256Algorithm = FS_VERITY_HASH_ALG_SHA256;
inline constexpr std::uint32_t kSha512Algorithm = FS_VERITY_HASH_ALG_SHA512;
inline constexpr std::size_t kDescriptorSize = 256;
inline constexpr std::size_t kMostSignatureBytes = 16128;  // FS_VERITY_MAX_SIGNATURE_SIZE

// How a file is enabled; the defaults are the usual ones.
struct Setting {
  std::uint32_t algorithm = kSha256Algorithm;
  std::uint32_t block_size = 4096;
  std::string salt;
  std::string signature;
};
[[nodiscard]] long Enable(int fd, const Setting& setting = {});
// On an O_RDONLY descriptor of its own.
[[nodiscard]] long Enable(const std::string& path, const Setting& setting = {});
// The argument as the case made it, which may be NULL.
[[nodiscard]] long EnableRaw(int fd, const fsverity_enable_arg* argument);
// What Enable() passes; the pointers are into `setting`.
[[nodiscard]] fsverity_enable_arg ArgumentOf(const Setting& setting);

struct Measured {
  long error = 0;
  unsigned algorithm = 0;
  unsigned size = 0;  // what the kernel said
  std::string digest;
};
// `room`: the digest's room as told to the kernel.
[[nodiscard]] Measured Measure(int fd, std::uint16_t room = 64);
[[nodiscard]] Measured Measure(const std::string& path);

struct Metadata {
  long result = 0;  // bytes read, or a negative errno
  std::string bytes;
};
// type: FS_VERITY_METADATA_TYPE_*.
[[nodiscard]] Metadata ReadMetadata(int fd, std::uint64_t type, std::uint64_t offset = 0,
                                    std::uint64_t length = 1 << 20);

[[nodiscard]] UniqueFd OpenToRead(const std::string& path);
// open(2) alone; 0 or a negative errno.
[[nodiscard]] long TryOpen(const std::string& path, int flags);
// The whole file, or a negative errno in `result`.
[[nodiscard]] Metadata ReadWhole(const std::string& path);
// pread(2) of at most `size` bytes.
[[nodiscard]] Metadata ReadAt(int fd, std::size_t size, std::uint64_t offset);
// Creates or truncates; mode 0644, written back.
void MakeFile(const std::string& path, std::string_view content);

// Bytes without a pattern: no block of 1024 of them is like another, of this or another `seed`.
[[nodiscard]] std::string Content(std::size_t size, std::uint64_t seed = 1);

// Expects that `path` is an ordinary file with this content that can still be written.
void ExpectPlain(const std::string& path, std::string_view content);
// Expects that `path` is a verity file with this content and digest.
void ExpectVerity(const std::string& path, std::string_view content, const Setting& setting = {});

}  // namespace kassay::verity
