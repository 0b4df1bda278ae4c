#include "harness/base/interrupt.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "harness/base/unique_fd.h"

namespace kassay {
namespace {

std::atomic<bool> requested{false};

// Opened before any handler is installed, so that the handler itself only writes.
int EventFd() {
  static const UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  return fd.Get();
}

void OnSignal(int) {
  const int saved = errno;
  RequestInterrupt();
  errno = saved;
}

}  // namespace

void InstallInterruptHandlers() {
  static_cast<void>(EventFd());
  struct sigaction action {};
  action.sa_handler = OnSignal;
  // One chance to end in order; the second signal meets the default action.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
  // A reader of our output that goes away is a write error, not our death. A handler and not
  // SIG_IGN, which the programs that we start would inherit.
  ::signal(SIGPIPE, [](int) {});  // NOLINT(cert-err33-c)
}

bool Interrupted() { return requested.load(); }

int InterruptFd() { return EventFd(); }

void RequestInterrupt() {
  requested.store(true);
  const std::uint64_t one = 1;
  static_cast<void>(!::write(EventFd(), &one, sizeof one));
}

void ClearInterruptForTesting() {
  requested.store(false);
  std::uint64_t count = 0;
  static_cast<void>(!::read(EventFd(), &count, sizeof count));
}

}  // namespace kassay
