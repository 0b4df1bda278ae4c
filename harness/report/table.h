// What a person sees at the end of a run.
#pragma once

#include <string>
#include <vector>

#include "harness/result/run_result.h"

namespace kassay {

struct TableOptions {
  bool colours = false;               // ANSI; only for a terminal
  std::string out_dir;                // where the result folder is; empty: not said
  std::vector<std::string> findings;  // about the level, waivers and the baseline
  // The word for the exit code that the caller ends with, if it is not OutcomeOf(run).
  std::string verdict;  // "conformant", ...; empty: from the run
};

// Features with their status and counts, then what is wrong (each with its reason and the command
// that repeats it), what was left and why, notes, and a last line with the verdict.
[[nodiscard]] std::string TableOf(const RunResult& run, const TableOptions& options);

}  // namespace kassay
