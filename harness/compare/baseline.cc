#include "harness/compare/baseline.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include "harness/base/sha256.h"

namespace kassay {
namespace {

constexpr size_t kMaxEvidenceValue = 96;  // bytes that a baseline keeps as they are
constexpr size_t kMaxReason = 240;

// Cuts at a UTF-8 boundary: what follows is never a continuation byte.
std::string Shortened(const std::string& text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

BaselineCase Comparable(const CaseResult& result) {
  BaselineCase out;
  out.id = result.Id();
  out.profile = result.profile;
  out.requirements = result.requirements;
  std::ranges::sort(out.requirements);
  out.verdict = result.verdict;
  out.reason = Shortened(result.reason, kMaxReason);
  if (result.erratum) {
    out.erratum = result.erratum->id;
    out.erratum_fixed = result.erratum->fixed;
  }
  out.waiver = result.waiver;
  for (const Evidence& each : result.evidence) {
    const bool keep = each.value.size() <= kMaxEvidenceValue;
    out.evidence.push_back({Shortened(each.key, kMaxEvidenceValue),
                            keep ? each.value : "sha256:" + Sha256Hex(each.value).substr(0, 16)});
  }
  out.attempts = std::max(result.attempts, 1);  // what was settled without running counts as once
  out.passes = result.attempts > 1 ? result.passes : (result.verdict == Verdict::kPass ? 1 : 0);
  return out;
}

constexpr const char* kOr = " / ";

void Mix(std::string& into, const std::string& other) {
  if (other.empty() || (kOr + into + kOr).find(kOr + other + kOr) != std::string::npos) return;
  into += (into.empty() ? "" : kOr) + other;
}

void Mix(Environment& into, const Environment& other) {
  Mix(into.kassay_version, other.kassay_version);
  Mix(into.qemu_version, other.qemu_version);
  Mix(into.accelerator, other.accelerator);
  Mix(into.cpu, other.cpu);
  Mix(into.boot, other.boot);
  Mix(into.isolation, other.isolation);
  into.suites_sha256.insert(other.suites_sha256.begin(), other.suites_sha256.end());
  for (const auto& [profile, command_line] : other.command_lines)
    Mix(into.command_lines[profile], command_line);
  for (const Firmware& firmware : other.firmware) {
    if (std::ranges::find(into.firmware, firmware) == into.firmware.end())
      into.firmware.push_back(firmware);
  }
}

void Sort(Baseline& baseline) {
  std::ranges::sort(baseline.suites);
  std::ranges::sort(baseline.features, {},
                    [](const BaselineFeature& each) { return std::tie(each.suite, each.feature); });
  std::ranges::stable_sort(baseline.cases, {}, &BaselineCase::id);
}

}  // namespace

Baseline BaselineOf(const RunResult& run) {
  Baseline baseline;
  baseline.kernel = run.kernel;
  // "reference:7.0/minimal" is a name, and no path.
  if (run.kernel.vendor != "reference" && run.kernel.spec.find('/') != std::string::npos)
    baseline.kernel.spec.clear();
  baseline.environment = run.environment;
  baseline.suites = run.suites;
  baseline.filter = run.filter;
  baseline.interrupted = run.interrupted;
  for (const FeatureResult& feature : run.features) {
    baseline.features.push_back(
        {feature.feature, feature.suite, feature.status, Shortened(feature.reason, kMaxReason)});
  }
  for (const CaseResult& result : run.cases) baseline.cases.push_back(Comparable(result));
  Sort(baseline);
  // A case that is listed twice counts as it ended last.
  const auto last_of_each =
      std::unique(baseline.cases.rbegin(), baseline.cases.rend(),
                  [](const BaselineCase& a, const BaselineCase& b) { return a.id == b.id; });
  baseline.cases.erase(baseline.cases.begin(), last_of_each.base());
  return baseline;
}

Status CheckRecordable(const RunResult& run) {
  const auto refuse = [](const std::string& why) {
    return Fail("no baseline from this run: " + why, ErrorKind::kUsage);
  };
  if (run.interrupted || run.finished_at.empty()) return refuse("it did not finish; run it again");
  if (!run.filter.empty()) return refuse("it ran only --case '" + run.filter + "'");
  if (run.cases.empty()) return refuse("it has no cases");
  const auto error = std::ranges::find(run.cases, Verdict::kError, &CaseResult::verdict);
  if (error != run.cases.end()) {
    return refuse(error->Id() + " is an error of the harness (" + error->reason + ")");
  }
  return {};
}

std::vector<Baseline> BySuite(const Baseline& baseline) {
  std::vector<Baseline> parts;
  for (const std::string& suite : baseline.suites) {
    Baseline& part = parts.emplace_back(baseline);
    part.suites = {suite};
    std::erase_if(part.features, [&](const auto& feature) { return feature.suite != suite; });
    std::erase_if(part.cases, [&](const auto& each) { return each.Suite() != suite; });
    std::set<std::string> profiles;
    for (const BaselineCase& each : part.cases) profiles.insert(each.profile);
    Environment& own = part.environment;
    std::erase_if(own.suites_sha256, [&](const auto& entry) { return entry.first != suite; });
    std::erase_if(own.command_lines,
                  [&](const auto& entry) { return !profiles.contains(entry.first); });
    std::erase_if(own.firmware,
                  [&](const Firmware& each) { return !profiles.contains(each.profile); });
    if (own.command_lines.empty()) own.qemu_version = own.accelerator = own.cpu = own.boot = "";
  }
  return parts;
}

Baseline Joined(std::vector<Baseline> parts) {
  Baseline all = std::move(parts.front());
  for (auto part = parts.begin() + 1; part != parts.end(); ++part) {
    Mix(all.environment, part->environment);
    std::move(part->suites.begin(), part->suites.end(), std::back_inserter(all.suites));
    std::move(part->features.begin(), part->features.end(), std::back_inserter(all.features));
    std::move(part->cases.begin(), part->cases.end(), std::back_inserter(all.cases));
  }
  Sort(all);
  return all;
}

Status CheckBeside(const Baseline& fresh, const Baseline& recorded) {
  const Environment& a = fresh.environment;
  const Environment& b = recorded.environment;
  // What one of them does not know, because it needed no machine, does not count.
  const auto differ = [](const std::string& one, const std::string& other) {
    return !one.empty() && !other.empty() && one != other;
  };
  std::string what;
  for (const auto& [profile, command_line] : a.command_lines) {
    const auto other = b.command_lines.find(profile);
    if (what.empty() && other != b.command_lines.end() && other->second != command_line)
      what = "the command line of profile " + profile;
  }
  if (a.isolation != b.isolation) what = "the isolation";
  if (differ(a.boot, b.boot)) what = "the way to boot";
  if (differ(a.accelerator, b.accelerator)) what = "the accelerator";
  if (differ(a.CpuModel(), b.CpuModel())) what = "the CPU model";
  if (fresh.kernel.image_sha256 != recorded.kernel.image_sha256) what = "the kernel image";
  if (what.empty()) return {};
  return Fail(what + " is not that of the recorded suite " + recorded.suites.front() +
                  ": record all suites anew",
              ErrorKind::kUsage);
}

}  // namespace kassay
