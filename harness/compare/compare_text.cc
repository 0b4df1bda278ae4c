#include "harness/compare/compare_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/result/json_identity.h"

namespace kassay {
namespace {

std::string Printable(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(
      out, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return out;
}

// As a Markdown code span: backticks inside cannot end it, a pipe cannot end the table's cell.
std::string Code(std::string_view text) {
  if (text.empty()) return "";
  std::string out;
  for (const char c : Printable(text)) {
    if (c == '|') out += '\\';
    out += c == '`' ? '\'' : c;
  }
  return "`" + out + "`";
}

std::string Joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string EvidenceChange(const BaselineCase& before, const BaselineCase& after) {
  std::vector<std::string> parts;
  for (const Evidence& now : after.evidence) {
    const auto was = std::ranges::find(before.evidence, now.key, &Evidence::key);
    if (was == before.evidence.end()) {
      parts.push_back(now.key + " = " + now.value);
    } else if (was->value != now.value) {
      parts.push_back(now.key + ": " + was->value + " -> " + now.value);
    }
  }
  for (const Evidence& was : before.evidence) {
    if (std::ranges::count(after.evidence, was.key, &Evidence::key) == 0)
      parts.push_back(was.key + " = " + was.value + " is gone");
  }
  return parts.empty() ? "other order" : Joined(parts);
}

std::string Before(const CaseChange& change) {
  return change.before ? Describe(*change.before) : "-";
}

std::string After(const CaseChange& change) {
  if (change.change == Change::kChangedEvidence) {
    return EvidenceChange(*change.before, *change.after);
  }
  return change.after ? Describe(*change.after) : "-";
}

std::string StatusOf(const std::optional<BaselineFeature>& feature) {
  if (!feature) return "-";
  const std::string status(ToString(feature->status));
  return feature->reason.empty() ? status : status + ": " + feature->reason;
}

void AppendConditions(const Comparison& comparison, std::string& out) {
  const bool same_kernel = comparison.before.image_sha256 == comparison.after.image_sha256;
  if (same_kernel) out += "The kernel image is the same on both sides.\n";
  if (comparison.differences.empty()) {
    if (!same_kernel) out += "Only the kernel differs.\n";
    return;
  }
  for (const Difference& d : comparison.differences) {
    out += fmt::format("{}: {} differs: '{}' against '{}'\n", d.refuses ? "REFUSED" : "warning",
                       d.what, Printable(d.before), Printable(d.after));
  }
}

void AppendMarkdownRows(const Comparison& comparison, bool (*wanted)(const CaseChange&),
                        std::string& out) {
  out += "| | requirement | case | before | after |\n| --- | --- | --- | --- | --- |\n";
  for (const CaseChange& change : comparison.cases) {
    if (!wanted(change)) continue;
    const BaselineCase& either = change.Either();
    out += fmt::format("| {} | {} | {} | {} | {}{} |\n", ToString(change.change),
                       Code(Joined(either.requirements)), Code(either.id), Code(Before(change)),
                       Code(After(change)), change.note.empty() ? "" : " " + Code(change.note));
  }
}

bool IsWorse(const CaseChange& change) { return change.worse; }
bool IsBetter(const CaseChange& change) {
  return !change.worse && (change.change == Change::kFixed || change.change == Change::kNowHolds);
}
bool IsOther(const CaseChange& change) { return !IsWorse(change) && !IsBetter(change); }

Json SideOf(const std::optional<BaselineCase>& side) {
  if (!side) return nullptr;
  Json evidence = Json::object();
  for (const Evidence& e : side->evidence) evidence[e.key] = e.value;
  return {{"verdict", ToString(side->verdict)},
          {"reason", side->reason},
          {"erratum", side->erratum},
          {"fixed", side->erratum_fixed},
          {"waiver", side->waiver},
          {"attempts", side->attempts},
          {"passes", side->passes},
          {"evidence", evidence}};
}

Json SideOf(const std::optional<BaselineFeature>& side) {
  if (!side) return nullptr;
  return {{"status", ToString(side->status)}, {"reason", side->reason}};
}

}  // namespace

std::string DisplayName(const KernelIdentity& kernel) {
  if (!kernel.package_version.empty()) {
    return (kernel.vendor.empty() ? "" : kernel.vendor + " ") + kernel.package_version;
  }
  return kernel.release.empty() ? kernel.spec : kernel.release;
}

std::string Describe(const BaselineCase& c) {
  std::string text(ToString(c.verdict));
  if (!c.reason.empty()) text += ": " + c.reason;
  const bool said = c.reason.rfind("known", 0) == 0;  // judge.h puts it into the reason
  if (!c.erratum.empty() && !said) {
    text += c.erratum_fixed.empty() ? " (known, not fixed yet)"
                                    : " (known: fixed in " + c.erratum_fixed + ")";
  }
  return text;
}

std::string Summary(const Comparison& comparison) {
  std::vector<std::string> parts;
  std::map<Change, size_t> counts;
  for (const CaseChange& each : comparison.cases) ++counts[each.change];
  parts.reserve(counts.size() + 1);
  for (const auto& [change, count] : counts)
    parts.push_back(fmt::format("{} {}", count, ToString(change)));
  const auto bad_features = std::ranges::count(comparison.features, true, &FeatureChange::worse);
  if (bad_features != 0) parts.push_back(fmt::format("{} features lost", bad_features));
  if (parts.empty()) parts.emplace_back("nothing changed");
  return (comparison.Worse() ? "worse: " : "not worse: ") + Joined(parts) +
         fmt::format(" ({} the same{})", comparison.same,
                     comparison.out_of_scope == 0
                         ? ""
                         : fmt::format(", {} in one of them only", comparison.out_of_scope));
}

std::string ToTable(const Comparison& comparison) {
  std::string out = fmt::format("{}  ->  {}\n", Printable(DisplayName(comparison.before)),
                                Printable(DisplayName(comparison.after)));
  AppendConditions(comparison, out);
  for (const FeatureChange& feature : comparison.features) {
    out += fmt::format("{} feature {}: {} -> {}\n", feature.worse ? "!" : " ", feature.feature,
                       Printable(StatusOf(feature.before)), Printable(StatusOf(feature.after)));
  }
  for (const CaseChange& change : comparison.cases) {
    const BaselineCase& either = change.Either();
    out += fmt::format("{} {:<16} {}  [{}]\n", change.worse ? "!" : " ", ToString(change.change),
                       Printable(either.id), Printable(Joined(either.requirements)));
    if (change.change != Change::kChangedEvidence) {
      out += fmt::format("    before: {}\n", Printable(Before(change)));
    }
    out += fmt::format("    after:  {}\n", Printable(After(change)));
    if (!change.note.empty()) out += fmt::format("    note:   {}\n", Printable(change.note));
  }
  return out + Summary(comparison) + "\n";
}

std::string ToMarkdown(const Comparison& comparison) {
  std::string out = fmt::format("### {} kassay: {} → {}\n\n{}\n\n", comparison.Worse() ? "❌" : "✅",
                                Code(DisplayName(comparison.before)),
                                Code(DisplayName(comparison.after)), Summary(comparison));
  for (const Difference& d : comparison.differences) {
    out += fmt::format("> {} {} differs: {} against {}\n",
                       d.refuses ? "**Refused:**" : "Note:", Code(d.what), Code(d.before),
                       Code(d.after));
  }
  if (!comparison.differences.empty()) out += "\n";
  if (!comparison.features.empty()) {
    out += "| feature | before | after |\n| --- | --- | --- |\n";
    for (const FeatureChange& feature : comparison.features) {
      out += fmt::format("| {}{} | {} | {} |\n", feature.worse ? "❌ " : "", Code(feature.feature),
                         Code(StatusOf(feature.before)), Code(StatusOf(feature.after)));
    }
    out += "\n";
  }
  const auto section = [&](const char* title, bool (*wanted)(const CaseChange&), bool folded) {
    const auto count = std::ranges::count_if(comparison.cases, wanted);
    if (count == 0) return;
    out += folded ? fmt::format("<details><summary>{} ({})</summary>\n\n", title, count)
                  : fmt::format("#### {} ({})\n\n", title, count);
    AppendMarkdownRows(comparison, wanted, out);
    out += folded ? "\n</details>\n\n" : "\n";
  };
  section("Worse", IsWorse, false);
  section("Better", IsBetter, false);
  section("Other changes", IsOther, true);
  return out;
}

std::string ToJson(const Comparison& comparison) {
  Json json = {{"format", 1},
               {"kind", "comparison"},
               {"before", JsonOf(comparison.before)},
               {"after", JsonOf(comparison.after)},
               {"worse", comparison.Worse()},
               {"refused", comparison.Refused()},
               {"summary", Summary(comparison)},
               {"same", comparison.same},
               {"out_of_scope", comparison.out_of_scope},
               {"differences", Json::array()},
               {"features", Json::array()},
               {"cases", Json::array()}};
  for (const Difference& d : comparison.differences) {
    json["differences"].push_back(
        {{"what", d.what}, {"refuses", d.refuses}, {"before", d.before}, {"after", d.after}});
  }
  for (const FeatureChange& feature : comparison.features) {
    json["features"].push_back({{"feature", feature.feature},
                                {"suite", feature.suite},
                                {"worse", feature.worse},
                                {"before", SideOf(feature.before)},
                                {"after", SideOf(feature.after)}});
  }
  for (const CaseChange& change : comparison.cases) {
    const BaselineCase& either = change.Either();
    json["cases"].push_back({{"case", either.id},
                             {"requirements", either.requirements},
                             {"change", ToString(change.change)},
                             {"worse", change.worse},
                             {"note", change.note},
                             {"before", SideOf(change.before)},
                             {"after", SideOf(change.after)}});
  }
  return DumpJson(json, 1) + "\n";
}

}  // namespace kassay
