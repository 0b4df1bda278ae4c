// A file as a block device (loop(4)), for as long as the object lives.
//
//   const Result<LoopDevice> loop = LoopDevice::Attach("/tmp/ext4.img");
//   if (!loop) KASSAY_UNMET(loop.error().message);
//   mount(loop->Path().c_str(), ...);
//
// What is written to the file below a device is what the device's next uncached read gives: that is
// how a case damages a medium.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"

namespace kassay {

struct LoopOptions {
  bool read_only = false;
  // The device reads and writes the file with O_DIRECT, past its page cache.
  bool direct_io = false;
  std::uint64_t offset = 0;      // where the device begins in the file, bytes
  std::uint64_t size_limit = 0;  // bytes, 0 for all
  unsigned block_size = 0;       // logical block size in bytes, 0 for the kernel's choice (512)
};

class LoopDevice {
 public:
  // Takes the next free device. Needs root and the module loop.
  [[nodiscard]] static Result<LoopDevice> Attach(const std::string& file,
                                                 const LoopOptions& options = {});
  LoopDevice(LoopDevice&&) noexcept = default;
  LoopDevice& operator=(LoopDevice&&) = delete;
  LoopDevice(const LoopDevice&) = delete;
  LoopDevice& operator=(const LoopDevice&) = delete;
  // Detaches. A device that is still mounted or mapped stays until its last user is gone
  // (drivers/block/loop.c:loop_clr_fd).
  ~LoopDevice();

  // "/dev/loop0".
  [[nodiscard]] const std::string& Path() const { return path_; }
  // "7:0", as device-mapper tables take it.
  [[nodiscard]] std::string MajorMinor() const;
  [[nodiscard]] dev_t Device() const { return device_; }

 private:
  LoopDevice(std::string path, UniqueFd fd, dev_t device)
      : path_(std::move(path)), fd_(std::move(fd)), device_(device) {}

  std::string path_;
  UniqueFd fd_;
  dev_t device_;
};

}  // namespace kassay
