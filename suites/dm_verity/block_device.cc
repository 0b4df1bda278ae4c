#include "suites/dm_verity/block_device.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

namespace kassay::verity {
namespace {

constexpr std::size_t kPage = 4096;

bool WriteAll(int file, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return true;
}

}  // namespace

Result<BlockDevice> BlockDevice::With(std::string_view bytes) {
  UniqueFd file(memfd_create("medium", MFD_CLOEXEC));
  if (!file.IsOpen()) return FailErrno("memfd_create");
  if (!WriteAll(file.Get(), bytes, 0)) return FailErrno("cannot write a medium");
  KASSAY_TRY(LoopDevice loop, LoopDevice::Attach("/proc/self/fd/" + std::to_string(file.Get())));
  return BlockDevice(std::move(file), std::move(loop), bytes.size());
}

void BlockDevice::Invert(std::uint64_t offset, std::uint64_t length) {
  std::string bytes(length, '\0');
  if (pread(file_.Get(), bytes.data(), length, static_cast<off_t>(offset)) !=
      static_cast<ssize_t>(length))
    std::abort();  // beyond the medium: the case's own mistake
  for (char& byte : bytes) byte = static_cast<char>(~byte);
  if (!WriteAll(file_.Get(), bytes, offset)) std::abort();
}

ReadBack ReadDirect(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!file.IsOpen()) return {-errno, {}};
  const std::unique_ptr<char, decltype(&std::free)> buffer(
      static_cast<char*>(std::aligned_alloc(kPage, (length + kPage - 1) / kPage * kPage)),
      &std::free);
  const ssize_t got = pread(file.Get(), buffer.get(), length, static_cast<off_t>(offset));
  if (got < 0) return {-errno, {}};
  return {got, std::string(buffer.get(), static_cast<std::size_t>(got))};
}

}  // namespace kassay::verity
