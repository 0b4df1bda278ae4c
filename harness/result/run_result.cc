#include "harness/result/run_result.h"

#include <algorithm>
#include <array>

namespace kassay {
namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 7> kVerdicts{"pass",   "fail",  "crash", "timeout",
                                                    "absent", "unmet", "error"};
constexpr std::array<std::string_view, 7> kStatuses{
    "conformant", "nonconformant", "absent", "disabled", "missing", "backported", "untested"};
constexpr std::array<std::string_view, 5> kOutcomes{"conformant", "nonconformant", "could not test",
                                                    "regressed", "interrupted"};

template <typename Value, size_t kCount>
std::optional<Value> ValueIn(const std::array<std::string_view, kCount>& names,
                             std::string_view name) {
  const auto* const found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Value>(found - names.begin());
}

}  // namespace

std::string_view ToString(Verdict verdict) { return kVerdicts.at(static_cast<size_t>(verdict)); }
std::string_view ToString(FeatureStatus status) {
  return kStatuses.at(static_cast<size_t>(status));
}
std::string_view ToString(RunOutcome outcome) { return kOutcomes.at(static_cast<size_t>(outcome)); }
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

std::string Environment::Machine() const {
  if (qemu_version.empty()) return "no machine was needed";
  return "QEMU " + qemu_version + ", " + accelerator + ", CPU " + CpuModel() + ", boot " + boot;
}

std::string NameOf(const KernelIdentity& kernel) {
  const bool is_file = kernel.spec.find('/') != std::string::npos && kernel.vendor != "reference";
  if (!kernel.spec.empty() && !is_file) return kernel.spec;
  if (!kernel.package.empty()) return kernel.package + " " + kernel.package_version;
  return kernel.release.empty() ? kernel.spec : kernel.release;
}

bool IsNonconformant(Verdict verdict) {
  return verdict == Verdict::kFail || verdict == Verdict::kCrash || verdict == Verdict::kTimeout;
}

RunOutcome OutcomeOf(const RunResult& run) {
  if (run.interrupted) return RunOutcome::kInterrupted;
  const bool bad_case = std::ranges::any_of(run.cases, [](const CaseResult& result) {
    return IsNonconformant(result.verdict) && result.waiver.empty();
  });
  const auto missing =
      std::ranges::count(run.features, FeatureStatus::kMissing, &FeatureResult::status);
  if (bad_case || missing > 0) return RunOutcome::kNonconformant;
  const bool not_tested = std::ranges::any_of(run.cases, [](const CaseResult& result) {
    return result.verdict == Verdict::kError ||
           (result.verdict == Verdict::kUnmet && result.cause.empty());
  });
  // A failure that is waived is a test too.
  const bool tested = std::ranges::any_of(run.cases, [](const CaseResult& result) {
    return result.verdict == Verdict::kPass || IsNonconformant(result.verdict);
  });
  return not_tested || !tested ? RunOutcome::kCouldNotTest : RunOutcome::kConformant;
}

}  // namespace kassay
