#include "harness/guest/freshness.h"

#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <time.h>

#include <algorithm>

#include "harness/base/unique_fd.h"
#include "harness/guest/kernel_log.h"

namespace kassay::guest {

void Freshen(const protocol::RunRequest& request) {
  constexpr std::uint64_t kBillion = 1'000'000'000;
  const timespec now{static_cast<time_t>(request.wall_clock_ns / kBillion),
                     static_cast<long>(request.wall_clock_ns % kBillion)};
  if (::clock_settime(CLOCK_REALTIME, &now) != 0) WriteKernelLog("kassay: the clock cannot be set");

  struct {
    int entropy_bits;
    int bytes;
    std::array<char, 64> buffer;
  } pool{8 * 64, 64, request.entropy};  // struct rand_pool_info of linux/random.h
  const UniqueFd random(::open("/dev/urandom", O_RDWR | O_CLOEXEC));
  if (!random.IsOpen() || ::ioctl(random.Get(), RNDADDENTROPY, &pool) != 0 ||
      ::ioctl(random.Get(), RNDRESEEDCRNG) != 0)
    WriteKernelLog("kassay: the random pool cannot be reseeded");
}

}  // namespace kassay::guest
