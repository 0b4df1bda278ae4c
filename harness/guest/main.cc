// PID 1 of the guest: makes the machine ready, says hello, and runs what the host asks for.
#include <fcntl.h>
#include <linux/random.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <sstream>
#include <string>

#include "harness/base/unique_fd.h"
#include "harness/guest/kernel_log.h"
#include "harness/guest/port.h"
#include "harness/guest/program.h"
#include "harness/guest/small_file.h"
#include "harness/guest/surroundings.h"

namespace kassay::guest {
namespace {

constexpr std::size_t kMostKernelLines = 10000;

void Console(const std::string& line) {
  static_cast<void>(!::write(STDERR_FILENO, (line + "\n").c_str(), line.size() + 1));
}

// The end of PID 1 is a panic, which would look like the kernel's fault.
[[noreturn]] void PowerOff() {
  ::sync();
  ::reboot(RB_POWER_OFF);
  while (true) ::pause();
}

std::uint64_t Taint() {
  return std::strtoull(ReadSmallFile("/proc/sys/kernel/tainted", 64).c_str(), nullptr, 10);
}

// What a restored machine got wrong: its clock stands at the snapshot's time, and its random pool
// is that of every other machine restored from the same snapshot. Sets CLOCK_REALTIME, credits the
// host's bytes to the pool and makes every CPU take a new key from it (RNDRESEEDCRNG,
// drivers/char/random.c:crng_reseed).
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

void Serve(const protocol::RunRequest& request, Port& port) {
  Freshen(request);
  const KernelLog log;
  WriteKernelLog("kassay: " + request.log_name + " begins");
  protocol::Done done;
  done.taint_before = Taint();
  RunProgram(request, port);
  done.lost_kernel_lines =
      log.Read(kMostKernelLines, [&port](const protocol::KernelLine& line) { port.Send(line); });
  done.taint_after = Taint();
  port.Send(done);
}

[[noreturn]] void ServeForever(Port port, protocol::Hello hello) {
  utsname names{};
  ::uname(&names);
  hello.kernel_release = names.release;
  timespec uptime{};
  ::clock_gettime(CLOCK_BOOTTIME, &uptime);
  hello.uptime_ms = static_cast<std::uint64_t>(uptime.tv_sec) * 1000 +
                    static_cast<std::uint64_t>(uptime.tv_nsec) / 1'000'000;
  port.Send(hello);
  while (true) {
    pollfd wait{port.fd(), POLLIN, 0};
    static_cast<void>(::poll(&wait, 1, -1));
    const auto message = port.Receive();
    if (!message) {
      Console("kassay: the host makes no sense: " + message.error().message);
      PowerOff();
    }
    if (!*message) continue;
    if (const auto* request = std::get_if<protocol::RunRequest>(&**message)) Serve(*request, port);
  }
}

// A shell on the console for a person, until it is left.
[[noreturn]] void ServeShell() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    const int console = ::open("/dev/ttyS0", O_RDWR);
    ::ioctl(console, TIOCSCTTY, 1);
    for (const int fd : {0, 1, 2}) ::dup2(console, fd);
    if (console > 2) ::close(console);
    static_cast<void>(!::chdir("/root"));
    ::setenv("HOME", "/root", 1);   // NOLINT(concurrency-mt-unsafe): one thread
    ::setenv("TMPDIR", "/tmp", 1);  // NOLINT(concurrency-mt-unsafe)
    ::setenv("PATH", "/kassay/suites:/usr/sbin:/usr/bin:/sbin:/bin",
             1);                         // NOLINT(concurrency-mt-unsafe)
    ::setenv("PS1", "kassay:\\w# ", 1);  // NOLINT(concurrency-mt-unsafe)
    ::execl("/bin/sh", "-sh", nullptr);
    Console("kassay: there is no /bin/sh in this image");
    ::_exit(127);
  }
  while (true) {
    const pid_t gone = ::waitpid(-1, nullptr, 0);
    if (gone == child || gone < 0) PowerOff();
  }
}

// A word of the kernel's command line asks for it.
bool ShellIsWanted() {
  using Words = std::istream_iterator<std::string>;
  std::istringstream line(ReadSmallFile("/proc/cmdline"));
  return std::find(Words(line), Words(), "kassay.shell") != Words();
}

int Main() {
  if (::getpid() != 1) {
    Console("guest-agent is the first process of kassay's guests; it is of no use elsewhere");
    return 2;
  }
  protocol::Hello hello;
  hello.troubles = SetUpSurroundings();
  hello.module_failures = LoadModules();
  if (ShellIsWanted()) ServeShell();
  auto port = Port::Open(std::chrono::seconds(10));
  if (!port) {
    Console("kassay: " + port.error().message);
    PowerOff();
  }
  ServeForever(std::move(*port), std::move(hello));
}

}  // namespace
}  // namespace kassay::guest

int main() { return kassay::guest::Main(); }
