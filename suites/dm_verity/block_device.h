// Bytes as a block device that a case can damage while it is in use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/unique_fd.h"
#include "suites/support/loop_device.h"

namespace kassay::verity {

class BlockDevice {
 public:
  [[nodiscard]] static Result<BlockDevice> With(std::string_view bytes);

  // Inverts every bit of a range, below the device: what reads past the caches sees it at once.
  void Invert(std::uint64_t offset, std::uint64_t length = 1);
  [[nodiscard]] std::string MajorMinor() const { return loop_.MajorMinor(); }
  // "loop0".
  [[nodiscard]] std::string KernelName() const { return loop_.Path().substr(5); }
  [[nodiscard]] std::uint64_t Sectors() const { return size_ / 512; }

 private:
  BlockDevice(UniqueFd file, LoopDevice loop, std::uint64_t size)
      : file_(std::move(file)), loop_(std::move(loop)), size_(size) {}
  UniqueFd file_;
  LoopDevice loop_;
  std::uint64_t size_;
};

struct ReadBack {
  long result = 0;  // bytes, or a negative errno
  std::string bytes;
};
// pread(2) with O_DIRECT: one request, nothing is read ahead and nothing comes from a cache. Offset
// and length are multiples of the device's block size.
[[nodiscard]] ReadBack ReadDirect(const std::string& path, std::uint64_t offset,
                                  std::uint64_t length);

}  // namespace kassay::verity
