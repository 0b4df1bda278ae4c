#include "harness/certify/waiver.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "harness/base/file.h"
#include "harness/base/text/toml_reader.h"
#include "harness/suite/name_pattern.h"

namespace kassay {
namespace {

Waiver ReadWaiver(const toml::table& table, const std::string& file, std::string& problem) {
  Waiver waiver;
  TomlReader reader(table, file, problem);
  waiver.id = reader.Text("id");
  waiver.requirement = reader.Text("requirement");
  waiver.cases = reader.Texts("cases", /*required=*/false);
  waiver.kernel = reader.Text("kernel");
  waiver.reason = reader.Text("reason");
  waiver.owner = reader.Text("owner");
  waiver.until = reader.Date("until");
  reader.Finish();
  if (!problem.empty()) return waiver;
  if (auto kernels = VersionCondition::Parse(waiver.kernel)) {
    waiver.kernels = *std::move(kernels);
  } else {
    reader.Complain("kernel", "is no condition: " + kernels.error().message);
  }
  return waiver;
}

// The waiver speaks about this case, whatever its date.
bool Concerns(const Waiver& waiver, const CaseResult& result) {
  const auto names = [&](const std::string& glob) { return GlobMatches(glob, result.case_name); };
  return std::ranges::count(result.requirements, waiver.requirement) > 0 &&
         (waiver.cases.empty() || std::ranges::any_of(waiver.cases, names));
}

// The waiver that lets this failing case pass: one that names it, or the first of those that
// together cover all that it cites.
const Waiver* Covering(const CaseResult& result, const std::vector<const Waiver*>& active) {
  const Waiver* first = nullptr;
  std::set<std::string> covered;
  for (const Waiver* waiver : active) {
    if (!Concerns(*waiver, result)) continue;
    if (!waiver->cases.empty()) return waiver;
    if (first == nullptr) first = waiver;
    covered.insert(waiver->requirement);
  }
  const bool all = std::ranges::all_of(result.requirements,
                                       [&](const std::string& id) { return covered.contains(id); });
  return all ? first : nullptr;
}

WaiverFinding Find(const Waiver& waiver, const RunResult& run, bool expired) {
  size_t held = 0;
  std::vector<std::string> broken;
  for (const CaseResult& result : run.cases) {
    if (!Concerns(waiver, result)) continue;
    if (result.verdict == Verdict::kPass) ++held;
    if (IsNonconformant(result.verdict)) broken.push_back(result.Id());
  }
  using Kind = WaiverFinding::Kind;
  const auto finding = [&](Kind kind, const std::string& what) {
    return WaiverFinding{kind, waiver.id, "waiver " + waiver.id + " " + what};
  };
  if (!broken.empty() && expired)
    return finding(Kind::kExpired,
                   fmt::format("ended on {} and {} still fails ({}): ask {}", waiver.until,
                               waiver.requirement, broken.front(), waiver.owner));
  if (!broken.empty())
    return finding(Kind::kActs,
                   fmt::format("acts on {} ({}) until {}: {} ({})", waiver.requirement,
                               fmt::join(broken, ", "), waiver.until, waiver.reason, waiver.owner));
  if (held > 0)
    return finding(Kind::kNotNeeded, "is no longer needed: " + waiver.requirement +
                                         " holds on this kernel; remove it");
  return finding(Kind::kUnused, "was not tested: no case of " + waiver.requirement + " ran");
}

}  // namespace

Result<std::vector<Waiver>> ParseWaivers(std::string_view text, const std::string& file) {
  KASSAY_TRY(const toml::table document, ParseToml(text, file));
  std::vector<Waiver> waivers;
  std::set<std::string> ids;
  std::string problem;
  TomlReader reader(document, file, problem);
  for (const toml::table* table : reader.Tables("waiver")) {
    waivers.push_back(ReadWaiver(*table, file, problem));
    if (!ids.insert(waivers.back().id).second) {
      TomlReader(*table, file, problem)
          .Complain("waiver '" + waivers.back().id + "' is there twice");
    }
  }
  reader.Finish();
  if (!problem.empty()) return Fail(problem, ErrorKind::kUsage);
  return waivers;
}

Result<std::vector<Waiver>> LoadWaivers(const std::filesystem::path& file) {
  const auto text = ReadFile(file, kMaxTomlBytes);
  if (!text) return Fail(text.error().message, ErrorKind::kUsage);
  return ParseWaivers(*text, file.string());
}

Result<std::vector<WaiverFinding>> ApplyWaivers(RunResult& run, const std::vector<Waiver>& waivers,
                                                const std::string& today) {
  std::vector<WaiverFinding> findings;
  if (waivers.empty()) return findings;
  const auto version = ParseKernelVersion(run.kernel.version);
  if (!version) {
    return Fail("waivers need the kernel's version: " + version.error().message, ErrorKind::kUsage);
  }
  std::vector<const Waiver*> active;
  for (const Waiver& waiver : waivers) {
    if (!waiver.kernels.Matches(*version)) continue;
    const bool expired = waiver.until < today;
    findings.push_back(Find(waiver, run, expired));
    if (!expired) active.push_back(&waiver);
  }
  for (CaseResult& result : run.cases) {
    result.waiver.clear();
    if (!IsNonconformant(result.verdict)) continue;
    if (const Waiver* waiver = Covering(result, active)) result.waiver = waiver->id;
  }
  return findings;
}

std::string TodayUtc() { return fmt::format("{:%F}", fmt::gmtime(std::time(nullptr))); }

}  // namespace kassay
