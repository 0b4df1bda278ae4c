// The records of a case and of a probe come from the guest.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

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
  static_cast<void>(kassay::Judge({"ring", "stock", &listed}, outcome));
  outcome.end = kassay::GuestOutcome::End::kKernelDied;
  static_cast<void>(kassay::Judge({"ring", "stock", &listed}, outcome));
  return 0;
}
