#include "suites/support/loop_device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

namespace kassay {
namespace {

loop_config ConfigOf(int file, const LoopOptions& options) {
  loop_config config{};
  config.fd = static_cast<unsigned>(file);
  config.block_size = options.block_size;
  config.info.lo_offset = options.offset;
  config.info.lo_sizelimit = options.size_limit;
  if (options.read_only) config.info.lo_flags |= LO_FLAGS_READ_ONLY;
  if (options.direct_io) config.info.lo_flags |= LO_FLAGS_DIRECT_IO;
  return config;
}

}  // namespace

Result<LoopDevice> LoopDevice::Attach(const std::string& file, const LoopOptions& options) {
  const int access = options.read_only ? O_RDONLY : O_RDWR;
  const UniqueFd backing(open(file.c_str(), access | O_CLOEXEC));
  if (!backing.IsOpen()) return FailErrno("open " + file);
  const UniqueFd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control.IsOpen()) return FailErrno("no loop devices: open /dev/loop-control");
  const loop_config config = ConfigOf(backing.Get(), options);
  while (true) {
    const int number = ioctl(control.Get(), LOOP_CTL_GET_FREE);
    if (number < 0) return FailErrno("LOOP_CTL_GET_FREE");
    std::string path = "/dev/loop" + std::to_string(number);
    UniqueFd device(open(path.c_str(), access | O_CLOEXEC));
    if (!device.IsOpen()) return FailErrno("open " + path);
    if (ioctl(device.Get(), LOOP_CONFIGURE, &config) == 0) {
      struct stat status {};
      if (fstat(device.Get(), &status) != 0) return FailErrno("fstat " + path);
      // A kernel without CONFIG_BLK_DEV_WRITE_MOUNTED mounts nothing that somebody has open for
      // writing (block/bdev.c:bdev_may_open).
      UniqueFd kept(open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!kept.IsOpen()) return FailErrno("open " + path);
      device = std::move(kept);
      return LoopDevice(std::move(path), std::move(device), status.st_rdev);
    }
    // Somebody else was given the same free device and was faster (loop(4), LOOP_CTL_GET_FREE).
    if (errno != EBUSY) return FailErrno("LOOP_CONFIGURE " + path);
  }
}

LoopDevice::~LoopDevice() {
  if (fd_.IsOpen()) ioctl(fd_.Get(), LOOP_CLR_FD);
}

std::string LoopDevice::MajorMinor() const {
  return std::to_string(major(device_)) + ":" + std::to_string(minor(device_));
}

}  // namespace kassay
