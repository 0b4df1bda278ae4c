#include "harness/report/repeat_command.h"

#include <string_view>

namespace kassay {
namespace {

std::string Quoted(const std::string& argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:+~@%=,-";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) return argument;
  std::string out = "'";
  for (const char c : argument) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string CommandThatRepeats(const RunResult& run, const CaseResult& result) {
  std::string command = "kassay run --kernel " + Quoted(run.kernel.spec) + " --suite " +
                        Quoted(result.suite) + " --case " + Quoted(result.case_name);
  // "mixed" is what the profiles say.
  if (run.environment.boot == "bzimage") {
    command += " --boot bzimage";
  }
  if (!run.environment.isolation.empty() && run.environment.isolation != "case") {
    command += " --isolation " + Quoted(run.environment.isolation);
  }
  for (const auto& [option, value] : run.asked) command += " --" + option + " " + Quoted(value);
  return command;
}

}  // namespace kassay
