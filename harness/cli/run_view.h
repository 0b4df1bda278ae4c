// A run as a person at the terminal sees it.
#pragma once

#include <unistd.h>

#include <iostream>

#include "harness/report/progress.h"
#include "harness/run/run.h"

namespace kassay::cli {

class TerminalView : public RunObserver {
 public:
  TerminalView() : progress_(std::cerr, ::isatty(STDERR_FILENO) != 0) {}
  ~TerminalView() override { progress_.End(); }
  void OnNote(const std::string& text) override { progress_.Note(text); }
  void OnPhase(const std::string& text) override { progress_.Phase(text); }
  void OnPlan(size_t cases, size_t done_before) override { progress_.Plan(cases, done_before); }
  void OnCase(const CaseResult& result) override { progress_.Finished(result); }
  // Takes the progress line away before anything else is printed.
  void End() { progress_.End(); }

 private:
  Progress progress_;
};

}  // namespace kassay::cli
