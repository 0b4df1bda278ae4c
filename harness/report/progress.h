// What a person sees while a run goes on: one line that is rewritten on a terminal, a line now and
// then elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <ostream>
#include <string>

#include "harness/result/run_result.h"

namespace kassay {

class Progress {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  // `terminal`: rewrite one line; otherwise a line every 15 s and for every finding.
  Progress(std::ostream& out, bool terminal, Clock clock = std::chrono::steady_clock::now);

  void Note(const std::string& text);
  void Phase(const std::string& text);
  void Plan(std::size_t cases, std::size_t done_before);
  void Finished(const CaseResult& result);
  // Takes the line away.
  void End();

 private:
  void Show();
  void Print(const std::string& line);
  [[nodiscard]] std::string State() const;

  std::ostream& out_;
  const bool terminal_;
  const Clock clock_;
  std::string phase_;
  std::size_t planned_ = 0;
  std::size_t done_ = 0;
  std::size_t ran_ = 0;  // of them in a machine: what takes time
  int known_ = 0;
  int unknown_ = 0;  // fail, crash, timeout without an erratum; errors
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point last_shown_;
  bool line_is_up_ = false;
};

}  // namespace kassay
