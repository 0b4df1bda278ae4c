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

Json ToJsonObject(const GuestOutcome& outcome) {
  return {{"end", ToString(outcome.end)},
          {"status", outcome.status},
          {"detail", outcome.detail},
          {"records", outcome.records},
          {"output", outcome.output},
          {"kernel_log", outcome.kernel_log},
          {"taint_before", outcome.taint_before},
          {"taint_after", outcome.taint_after},
          {"console", outcome.console}};
}

GuestOutcome ReadGuestOutcome(const Json& json, const std::string& place, std::string& problem) {
  GuestOutcome outcome;
  JsonReader reader(json, place, problem);
  reader.GetEnum("end", outcome.end, EndFromString);
  reader.Get("status", outcome.status);
  reader.Get("detail", outcome.detail);
  reader.Get("records", outcome.records);
  reader.Get("output", outcome.output);
  reader.Get("kernel_log", outcome.kernel_log);
  reader.Get("taint_before", outcome.taint_before);
  reader.Get("taint_after", outcome.taint_after);
  reader.Get("console", outcome.console);
  return outcome;
}

GuestOutcome AsJournalled(const GuestOutcome& outcome) {
  const auto json = ParseJson(DumpJson(ToJsonObject(outcome)));
  std::string problem;
  return json ? ReadGuestOutcome(*json, "", problem) : outcome;
}

}  // namespace kassay
