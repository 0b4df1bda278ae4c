// The program that the VM's own tests and benchmark run in a guest: `probe WHAT`. Static, so that
// it needs nothing around it.
#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "harness/protocol/suite_program.h"

namespace {

void WriteFile(const char* path, const char* text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || ::write(fd, text, std::strlen(text)) < 0) std::perror(path);
  if (fd >= 0) ::close(fd);
}

int Record(const std::string& line) {
  const char* fd = std::getenv(kassay::kRecordFdVariable);  // NOLINT(concurrency-mt-unsafe)
  const std::string whole = line + "\n";
  return fd != nullptr &&
                 ::write(std::atoi(fd), whole.data(), whole.size()) ==  // NOLINT(cert-err34-c)
                     static_cast<ssize_t>(whole.size())
             ? 0
             : 1;
}

int Clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::printf("%lld\n", static_cast<long long>(now.tv_sec));
  return 0;
}

long Milliseconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// How far two clocks go while the program sleeps for half a second, and what they are read from.
int Pace() {
  std::array<char, 64> source{};
  const int fd = ::open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                        O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::read(fd, source.data(), source.size() - 1) < 0) return 1;
  ::close(fd);
  const long real = Milliseconds(CLOCK_REALTIME);
  const long monotonic = Milliseconds(CLOCK_MONOTONIC);
  const timespec half{0, 500'000'000};
  ::nanosleep(&half, nullptr);
  std::printf("%s %ld %ld\n", std::strtok(source.data(), "\n"),  // NOLINT(concurrency-mt-unsafe)
              Milliseconds(CLOCK_REALTIME) - real, Milliseconds(CLOCK_MONOTONIC) - monotonic);
  return 0;
}

int Random() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != 16) return 1;
  for (const unsigned char byte : bytes) std::printf("%02x", byte);
  std::printf("\n");
  return 0;
}

// A child in a session of its own that ignores what can be ignored and outlives its parent.
int Stray() {
  if (::fork() == 0) {
    ::setsid();
    static_cast<void>(::signal(SIGTERM, SIG_IGN));
    static_cast<void>(::signal(SIGHUP, SIG_IGN));
    while (true) ::pause();
  }
  std::printf("left one behind\n");
  return 0;
}

// PID 1 answers nobody any more, and the kernel has nothing to say about it.
int Hang() {
  ::mkdir("/sys/fs/cgroup/frozen", 0755);
  WriteFile("/sys/fs/cgroup/frozen/cgroup.procs", "1");
  WriteFile("/sys/fs/cgroup/frozen/cgroup.freeze", "1");
  while (true) ::pause();
}

int Flood() {
  const std::string block(65536, 'x');
  for (int i = 0; i < 256; ++i) {
    if (::write(STDOUT_FILENO, block.data(), block.size()) < 0) return 1;
  }
  std::printf("last words\n");
  return 0;
}

int Log() {
  WriteFile("/proc/sysrq-trigger", "h");  // the kernel prints its help, facility 0
  WriteFile("/dev/kmsg", "<12>WARNING: from user space\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "nothing") return 0;
  if (what == "exit") return argc > 2 ? std::atoi(argv[2]) : 1;  // NOLINT(cert-err34-c)
  if (what == "record") return Record("{\"type\":\"evidence\"}");
  if (what == "clock") return Clock();
  if (what == "pace") return Pace();
  if (what == "random") return Random();
  if (what == "stray") return Stray();
  if (what == "sleep") {
    while (true) ::pause();
  }
  if (what == "abort") std::abort();
  if (what == "flood") return Flood();
  if (what == "log") return Log();
  if (what == "panic") WriteFile("/proc/sysrq-trigger", "c");
  if (what == "reset") WriteFile("/proc/sysrq-trigger", "b");
  if (what == "off") {
    WriteFile("/proc/sysrq-trigger", "o");
    ::pause();  // a worker of the kernel's does it later (kernel/power/poweroff.c)
  }
  if (what == "hang") return Hang();
  static_cast<void>(std::fprintf(stderr, "probe: what is '%s'?\n", what.c_str()));
  return 2;
}
