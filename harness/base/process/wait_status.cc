#include "harness/base/process/wait_status.h"

#include <sys/wait.h>

#include <cstring>

namespace kassay {

WaitStatus WaitStatus::Of(int word) {
  if (WIFSIGNALED(word)) return {-1, WTERMSIG(word)};
  return {WEXITSTATUS(word), 0};
}

std::string WaitStatus::Words() const {
  if (signal != 0) return "was killed by " + SignalName(signal);
  return "ended with exit code " + std::to_string(exit_code);
}

std::string SignalName(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

}  // namespace kassay
