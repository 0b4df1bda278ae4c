#include "harness/result/run_result.h"

#include <algorithm>
#include <array>

namespace kassay {
namespace {

constexpr std::array<std::pair<Verdict, std::string_view>, 7> kVerdicts{{
    {Verdict::kPass, "pass"},
    {Verdict::kFail, "fail"},
    {Verdict::kCrash, "crash"},
    {Verdict::kTimeout, "timeout"},
    {Verdict::kAbsent, "absent"},
    {Verdict::kUnmet, "unmet"},
    {Verdict::kError, "error"},
}};

constexpr std::array<std::pair<FeatureStatus, std::string_view>, 7> kStatuses{{
    {FeatureStatus::kConformant, "conformant"},
    {FeatureStatus::kNonconformant, "nonconformant"},
    {FeatureStatus::kAbsent, "absent"},
    {FeatureStatus::kDisabled, "disabled"},
    {FeatureStatus::kMissing, "missing"},
    {FeatureStatus::kBackported, "backported"},
    {FeatureStatus::kUntested, "untested"},
}};

template <typename Table, typename Value>
std::string_view NameIn(const Table& table, Value value) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.first == value; });
  return found == table.end() ? std::string_view("?") : found->second;
}

template <typename Value, typename Table>
std::optional<Value> ValueIn(const Table& table, std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.second == name; });
  if (found == table.end()) return std::nullopt;
  return found->first;
}

}  // namespace

std::string_view ToString(Verdict verdict) { return NameIn(kVerdicts, verdict); }
std::string_view ToString(FeatureStatus status) { return NameIn(kStatuses, status); }
std::optional<Verdict> VerdictFromString(std::string_view text) {
  return ValueIn<Verdict>(kVerdicts, text);
}
std::optional<FeatureStatus> FeatureStatusFromString(std::string_view text) {
  return ValueIn<FeatureStatus>(kStatuses, text);
}

std::string Measure::Text() const {
  const auto* number = std::get_if<std::int64_t>(&value);
  const std::string text = number ? std::to_string(*number) : std::get<std::string>(value);
  return unit.empty() ? text : text + " " + unit;
}

bool IsNonconformant(Verdict verdict) {
  return verdict == Verdict::kFail || verdict == Verdict::kCrash || verdict == Verdict::kTimeout;
}

std::string_view ToString(RunOutcome outcome) {
  constexpr std::array<std::string_view, 5> kNames = {"conformant", "nonconformant",
                                                      "could not test", "regressed", "interrupted"};
  return kNames.at(static_cast<size_t>(outcome));
}

RunOutcome OutcomeOf(const RunResult& run) {
  if (run.interrupted) return RunOutcome::kInterrupted;
  const bool bad_case =
      std::any_of(run.cases.begin(), run.cases.end(), [](const CaseResult& result) {
        return IsNonconformant(result.verdict) && result.waiver.empty();
      });
  const bool missing = std::any_of(
      run.features.begin(), run.features.end(),
      [](const FeatureResult& feature) { return feature.status == FeatureStatus::kMissing; });
  if (bad_case || missing) return RunOutcome::kNonconformant;
  const bool not_tested =
      std::any_of(run.cases.begin(), run.cases.end(),
                  [](const CaseResult& result) { return result.verdict == Verdict::kError; });
  if (not_tested || run.cases.empty()) return RunOutcome::kCouldNotTest;
  return RunOutcome::kConformant;
}

}  // namespace kassay
