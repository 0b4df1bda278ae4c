#include "harness/report/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace kassay {

void Tally::Add(const CaseResult& result) {
  const auto* const at = std::find(kAllVerdicts.begin(), kAllVerdicts.end(), result.verdict);
  if (at != kAllVerdicts.end()) ++counts[static_cast<size_t>(at - kAllVerdicts.begin())];
  if (!IsNonconformant(result.verdict)) return;
  if (result.erratum) ++known;
  if (!result.waiver.empty()) ++waived;
}

int Tally::Of(Verdict verdict) const {
  const auto* const at = std::find(kAllVerdicts.begin(), kAllVerdicts.end(), verdict);
  return at == kAllVerdicts.end() ? 0 : counts[static_cast<size_t>(at - kAllVerdicts.begin())];
}

int Tally::Total() const { return std::accumulate(counts.begin(), counts.end(), 0); }

std::string Tally::Line() const {
  std::string line = fmt::format("{} {}:", Total(), Total() == 1 ? "case" : "cases");
  const char* separator = " ";
  for (const Verdict verdict : kAllVerdicts) {
    if (Of(verdict) == 0) continue;
    line += fmt::format("{}{} {}", separator, Of(verdict), ToString(verdict));
    separator = ", ";
  }
  if (known > 0) line += fmt::format(" ({} known)", known);
  if (waived > 0) line += fmt::format(" ({} waived)", waived);
  return line;
}

Tally TallyOf(const RunResult& run) {
  Tally tally;
  for (const CaseResult& result : run.cases) tally.Add(result);
  return tally;
}

Tally TallyOfFeature(const RunResult& run, const std::string& feature) {
  Tally tally;
  for (const CaseResult& result : run.cases) {
    if (std::find(result.features.begin(), result.features.end(), feature) != result.features.end())
      tally.Add(result);
  }
  return tally;
}

std::vector<const CaseResult*> WrongCases(const RunResult& run) {
  std::vector<const CaseResult*> wrong;
  for (const CaseResult& result : run.cases) {
    if (IsNonconformant(result.verdict) || result.verdict == Verdict::kError)
      wrong.push_back(&result);
  }
  const auto explained = [](const CaseResult* result) {
    return result->erratum.has_value() || !result->waiver.empty();
  };
  std::stable_partition(wrong.begin(), wrong.end(),
                        [&](const CaseResult* result) { return !explained(result); });
  return wrong;
}

}  // namespace kassay
