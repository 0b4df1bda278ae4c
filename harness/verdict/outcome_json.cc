#include "harness/verdict/outcome_json.h"

#include <algorithm>
#include <array>
#include <optional>

namespace kassay {
namespace {

using End = GuestOutcome::End;

constexpr std::array<std::pair<End, std::string_view>, 6> kEnds{{
    {End::kExited, "exited"},
    {End::kSignalled, "signalled"},
    {End::kTimedOut, "timed out"},
    {End::kKernelDied, "kernel died"},
    {End::kSilent, "silent"},
    {End::kLied, "lied"},
}};

std::string_view ToString(End end) {
  const auto* const found =
      std::find_if(kEnds.begin(), kEnds.end(), [&](const auto& row) { return row.first == end; });
  return found == kEnds.end() ? std::string_view("?") : found->second;
}

std::optional<End> EndFromString(std::string_view text) {
  const auto* const found =
      std::find_if(kEnds.begin(), kEnds.end(), [&](const auto& row) { return row.second == text; });
  if (found == kEnds.end()) return std::nullopt;
  return found->first;
}

}  // namespace

void Describe(JsonFields& fields, GuestOutcome& outcome) {
  fields.Enum("end", outcome.end, ToString, EndFromString);
  fields("status", outcome.status);
  fields("detail", outcome.detail);
  fields("records", outcome.records);
  fields("output", outcome.output);
  fields("kernel_log", outcome.kernel_log);
  fields("taint_before", outcome.taint_before);
  fields("taint_after", outcome.taint_after);
  fields("console", outcome.console);
}

GuestOutcome AsJournalled(const GuestOutcome& outcome) {
  const auto json = ParseJson(DumpJson(JsonOf(outcome)));
  std::string problem;
  return json ? ReadJson<GuestOutcome>(*json, "", problem) : outcome;
}

}  // namespace kassay
