// The records of a case come from the guest: no crash, and what is kept of them comes back from the
// result's file unchanged.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "harness/verdict/judge.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kassay::GuestOutcome outcome;
  outcome.end = kassay::GuestOutcome::End::kExited;
  outcome.console.assign(reinterpret_cast<const char*>(data), size);
  std::string line;
  for (const char c : outcome.console) {
    if (c == '\n') {
      outcome.records.push_back(line);
      outcome.kernel_log.push_back(std::move(line));
      line.clear();
    } else {
      line += c;
    }
  }
  kassay::ListedCase listed;
  listed.name = "Ring.Denies";
  listed.expects_panic = "panic.*corrupted";
  kassay::RunResult run;
  run.cases = {kassay::Judge({"ring", "stock", &listed}, outcome)};
  const auto back = kassay::RunResultFromJson(kassay::ToJson(run));
  if (!back || back->cases[0].evidence != run.cases[0].evidence ||
      back->cases[0].measures != run.cases[0].measures) {
    std::abort();
  }
  outcome.end = kassay::GuestOutcome::End::kKernelDied;
  static_cast<void>(kassay::Judge({"ring", "stock", &listed}, outcome));
  return 0;
}
