// How a program ended.
#pragma once

#include <string>

namespace kassay {

struct WaitStatus {
  int exit_code = -1;  // -1 if a signal ended it
  int signal = 0;      // 0 if it exited

  // From the status word of waitpid(2).
  [[nodiscard]] static WaitStatus Of(int word);
  [[nodiscard]] bool Succeeded() const { return exit_code == 0; }
  // "ended with exit code 3", "was killed by SIGSEGV".
  [[nodiscard]] std::string Words() const;
  bool operator==(const WaitStatus&) const = default;
};

// "SIGSEGV", or "signal 77".
[[nodiscard]] std::string SignalName(int signal);

}  // namespace kassay
