#include "suites/fs_verity/verity_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "harness/base/text/hex.h"
#include "suites/fs_verity/file_attributes.h"
#include "suites/fs_verity/merkle_tree.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::verity {
namespace {

long Outcome(long result) { return result < 0 ? -errno : result; }

std::uint64_t Address(const std::string& bytes) {
  return bytes.empty() ? 0 : reinterpret_cast<std::uint64_t>(bytes.data());
}

}  // namespace

fsverity_enable_arg ArgumentOf(const Setting& setting) {
  fsverity_enable_arg argument{};
  argument.version = 1;
  argument.hash_algorithm = setting.algorithm;
  argument.block_size = setting.block_size;
  argument.salt_size = static_cast<std::uint32_t>(setting.salt.size());
  argument.salt_ptr = Address(setting.salt);
  argument.sig_size = static_cast<std::uint32_t>(setting.signature.size());
  argument.sig_ptr = Address(setting.signature);
  return argument;
}

long EnableRaw(int fd, const fsverity_enable_arg* argument) {
  return Outcome(ioctl(fd, FS_IOC_ENABLE_VERITY, argument));
}

long Enable(int fd, const Setting& setting) {
  const fsverity_enable_arg argument = ArgumentOf(setting);
  return EnableRaw(fd, &argument);
}

long Enable(const std::string& path, const Setting& setting) {
  const UniqueFd fd = OpenToRead(path);
  if (!fd.IsOpen()) return -errno;
  return Enable(fd.Get(), setting);
}

Measured Measure(int fd, std::uint16_t room) {
  alignas(fsverity_digest) std::array<char, sizeof(fsverity_digest) + 0xffff> buffer{};
  auto* digest = reinterpret_cast<fsverity_digest*>(buffer.data());
  digest->digest_size = room;
  Measured measured;
  measured.error = Outcome(ioctl(fd, FS_IOC_MEASURE_VERITY, digest));
  if (measured.error != 0) return measured;
  measured.algorithm = digest->digest_algorithm;
  measured.size = digest->digest_size;
  measured.digest.assign(buffer.data() + sizeof(fsverity_digest), measured.size);
  return measured;
}

Measured Measure(const std::string& path) {
  const UniqueFd fd = OpenToRead(path);
  if (!fd.IsOpen()) return {-errno, 0, 0, {}};
  return Measure(fd.Get());
}

Metadata ReadMetadata(int fd, std::uint64_t type, std::uint64_t offset, std::uint64_t length) {
  Metadata metadata;
  metadata.bytes.resize(length);
  fsverity_read_metadata_arg argument{};
  argument.metadata_type = type;
  argument.offset = offset;
  argument.length = length;
  argument.buf_ptr = reinterpret_cast<std::uint64_t>(metadata.bytes.data());
  metadata.result = Outcome(ioctl(fd, FS_IOC_READ_VERITY_METADATA, &argument));
  metadata.bytes.resize(metadata.result < 0 ? 0 : static_cast<std::size_t>(metadata.result));
  return metadata;
}

UniqueFd OpenToRead(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

long TryOpen(const std::string& path, int flags) {
  const UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC));
  return fd.IsOpen() ? 0 : -errno;
}

Metadata ReadAt(int fd, std::size_t size, std::uint64_t offset) {
  Metadata seen;
  seen.bytes.resize(size);
  seen.result = Outcome(pread(fd, seen.bytes.data(), size, static_cast<off_t>(offset)));
  seen.bytes.resize(seen.result < 0 ? 0 : static_cast<std::size_t>(seen.result));
  return seen;
}

Metadata ReadWhole(const std::string& path) {
  const UniqueFd fd = OpenToRead(path);
  if (!fd.IsOpen()) return {-errno, {}};
  Metadata whole;
  while (true) {
    const Metadata part = ReadAt(fd.Get(), 65536, whole.bytes.size());
    if (part.result < 0) return {part.result, whole.bytes};
    if (part.result == 0) break;
    whole.bytes += part.bytes;
  }
  whole.result = static_cast<long>(whole.bytes.size());
  return whole;
}

void MakeFile(const std::string& path, std::string_view content) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  ASSERT_TRUE(fd.IsOpen()) << path << ": " << ErrnoName(errno);
  ASSERT_EQ(write(fd.Get(), content.data(), content.size()), static_cast<ssize_t>(content.size()))
      << path;
  ASSERT_EQ(fsync(fd.Get()), 0) << path;
}

std::string Content(std::size_t size, std::uint64_t seed) {
  std::string content(size, '\0');
  std::uint64_t state = seed * 0x9e3779b97f4a7c15U;
  for (char& byte : content) {  // xorshift64: the period is longer than any file
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state >> 32);
  }
  return content;
}

void ExpectPlain(const std::string& path, std::string_view content) {
  EXPECT_THAT(Measure(path).error, IsErrno(ENODATA)) << path;
  EXPECT_EQ(DoorsOf(path, false), kAllShut) << path;
  const UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_TRUE(fd.IsOpen()) << path << " cannot be written: " << ErrnoName(errno);
  EXPECT_EQ(ReadAt(fd.Get(), content.size() + 1, 0).bytes, content) << path;
  // Room behind the end, where file systems put the tree, is the file's own again.
  EXPECT_EQ(pwrite(fd.Get(), "grown", 5, static_cast<off_t>(content.size())), 5) << path;
  EXPECT_EQ(ReadAt(fd.Get(), 64, content.size()).bytes, "grown") << path;
  EXPECT_EQ(ftruncate(fd.Get(), static_cast<off_t>(content.size())), 0) << path;
}

void ExpectVerity(const std::string& path, std::string_view content, const Setting& setting) {
  EXPECT_EQ(DoorsOf(path, false), kAllOpen) << path;
  const Measured measured = Measure(path);
  EXPECT_EQ(measured.error, 0) << path;
  EXPECT_EQ(measured.algorithm, setting.algorithm) << path;
  EXPECT_EQ(ToHex(measured.digest), ToHex(MerkleTree(content, setting).file_digest)) << path;
  EXPECT_TRUE(ReadWhole(path).bytes == content) << path << ": other content";
}

}  // namespace kassay::verity
