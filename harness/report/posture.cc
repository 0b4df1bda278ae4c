#include "harness/report/posture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "harness/protocol/posture_evidence.h"
#include "harness/report/printable.h"

namespace kassay {
namespace {

constexpr std::array<std::string_view, 4> kAgreements = {"yes", "NO", "-", "set at boot"};

std::string Value(const CaseResult& result, std::string_view key) {
  for (const Evidence& evidence : result.evidence) {
    if (evidence.key == key) return evidence.value;
  }
  return {};
}

Agreement AgreementOf(const CaseResult& result, const PostureRow& row) {
  if (row.running.starts_with("unseen")) return Agreement::kConfigOnly;
  if (!row.note.empty()) return Agreement::kOverridden;
  return result.verdict == Verdict::kPass ? Agreement::kYes : Agreement::kNo;
}

// A cell: one line, in which nothing begins a new cell, a link, an element or emphasis.
std::string Cell(const std::string& text) {
  std::string out;
  for (const char c : PrintableLine(text)) {
    if (std::string_view("|\\`*<>[]").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

using Cells = std::array<std::string, 5>;

// Characters, not bytes: continuation bytes of UTF-8 take no column.
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string Line(const Cells& cells, const std::array<size_t, 5>& widths, char filling) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    line += "| " + cells[i] + std::string(widths[i] - WidthOf(cells[i]), filling) + " ";
  }
  return line + "|\n";
}

Cells CellsOf(const PostureRow& row) {
  constexpr std::string_view kUnseen = kPostureUnseen;
  const bool unseen = row.running.starts_with(kUnseen);
  return {Cell(row.option), Cell(row.configured),
          Cell(unseen ? row.running.substr(kUnseen.size()) : row.running),
          std::string(ToString(row.agreement)),
          Cell(row.note.empty() ? row.why : row.why + " (" + row.note + ")")};
}

}  // namespace

std::string_view ToString(Agreement agreement) {
  return kAgreements.at(static_cast<size_t>(agreement));
}

std::vector<PostureRow> PostureOf(const RunResult& run) {
  std::vector<PostureRow> rows;
  for (const CaseResult& result : run.cases) {
    PostureRow row;
    row.option = Value(result, kPostureOption);
    if (row.option.empty()) continue;
    row.configured = Value(result, kPostureConfigured);
    row.running = Value(result, kPostureRunning);
    row.why = Value(result, kPostureWhy);
    row.note = Value(result, kPostureNote);
    row.agreement = AgreementOf(result, row);
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [](const PostureRow& a, const PostureRow& b) {
    return std::tuple(a.agreement != Agreement::kNo, a.option) <
           std::tuple(b.agreement != Agreement::kNo, b.option);
  });
  return rows;
}

std::string PostureTableOf(const RunResult& run) {
  const std::vector<PostureRow> rows = PostureOf(run);
  if (rows.empty()) return {};
  const auto count = [&](auto test) { return std::count_if(rows.begin(), rows.end(), test); };
  const auto configured = [&](std::string_view state) {
    return count([&](const PostureRow& row) { return row.configured.starts_with(state); });
  };
  const auto disagree = count([](const PostureRow& r) { return r.agreement == Agreement::kNo; });
  std::string text = fmt::format(
      "# Security-relevant options of {}\n\n{} on, {} off, {} not in this kernel. {}\n\n",
      Cell(run.kernel.release.empty() ? run.kernel.spec : run.kernel.release), configured("on"),
      configured("off"), configured("gone"),
      disagree == 0
          ? "Wherever the running system shows an option, it agrees with the configuration."
          : fmt::format("The running system does not agree with the configuration of {}.",
                        disagree));
  std::vector<Cells> lines = {{"option", "configured", "running", "agree?", "why it matters"},
                              {"-", "-", "-", "-", "-"}};
  for (const PostureRow& row : rows) lines.push_back(CellsOf(row));
  std::array<size_t, 5> widths{};
  for (const Cells& cells : lines) {
    // The last column ends the line and needs no filling.
    for (size_t i = 0; i + 1 < cells.size(); ++i)
      widths[i] = std::max(widths[i], WidthOf(cells[i]));
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    widths.back() = WidthOf(lines[i].back());
    if (i == 1) widths.back() = WidthOf(lines[0].back());
    text += Line(lines[i], widths, i == 1 ? '-' : ' ');
  }
  return text;
}

}  // namespace kassay
