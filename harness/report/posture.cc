#include "harness/report/posture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "harness/protocol/posture_evidence.h"
#include "harness/report/printable.h"

namespace kassay {
namespace {

struct PostureRow {
  std::string option;
  std::string configured;  // "on", "on (VALUE)", "off", "gone": no such option in this kernel
  std::string running;     // "on", "off", "unseen: reason"
  std::string agrees;      // what runs is what is configured: see AgreementOf
  std::string why;
  std::string note;  // mostly empty
};

constexpr const char* kDisagrees = "NO";

std::string Value(const CaseResult& result, std::string_view key) {
  const auto found = std::ranges::find(result.evidence, key, &Evidence::key);
  return found == result.evidence.end() ? std::string() : found->value;
}

std::string AgreementOf(const CaseResult& result, const PostureRow& row) {
  if (row.running.starts_with("unseen")) return "-";  // nothing in the running system shows it
  if (!row.note.empty()) return "set at boot";        // so there is nothing to agree with
  return result.verdict == Verdict::kPass ? "yes" : kDisagrees;
}

// What does not agree first, then by option.
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
    row.agrees = AgreementOf(result, row);
    rows.push_back(std::move(row));
  }
  std::ranges::sort(rows, {}, [](const PostureRow& row) {
    return std::pair(row.agrees != kDisagrees, row.option);
  });
  return rows;
}

// A cell: one line, in which nothing begins a new cell, a link, an element, a reference or
// emphasis. Within words, as in CONFIG_X_Y, an underscore is none (CommonMark 6.2).
std::string Cell(const std::string& text) {
  const std::string line = PrintableLine(text);
  const auto is_word = [&](size_t i) {
    return i < line.size() && std::isalnum(static_cast<unsigned char>(line[i])) != 0;
  };
  constexpr std::string_view kMarks = "|\\`*<>[]~&";
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool in_word = i > 0 && is_word(i - 1) && is_word(i + 1);
    if (line[i] == '_' ? !in_word : kMarks.find(line[i]) != std::string_view::npos) out += '\\';
    out += line[i];
  }
  return out;
}

using Cells = std::array<std::string, 5>;

// Characters, not bytes: continuation bytes of UTF-8 take no column.
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

// The last cell ends the line and needs no filling.
std::string Line(const Cells& cells, const std::array<size_t, 5>& widths) {
  std::string line;
  for (size_t i = 0; i + 1 < cells.size(); ++i)
    line += "| " + cells[i] + std::string(widths[i] - WidthOf(cells[i]), ' ') + " ";
  return line + "| " + cells.back() + " |\n";
}

Cells CellsOf(const PostureRow& row) {
  constexpr std::string_view kUnseen = kPostureUnseen;
  const bool unseen = row.running.starts_with(kUnseen);
  return {Cell(row.option), Cell(row.configured),
          Cell(unseen ? row.running.substr(kUnseen.size()) : row.running), row.agrees,
          Cell(row.note.empty() ? row.why : row.why + " (" + row.note + ")")};
}

}  // namespace

std::string PostureTableOf(const RunResult& run) {
  const std::vector<PostureRow> rows = PostureOf(run);
  if (rows.empty()) return {};
  const auto configured = [&](std::string_view state) {
    return std::ranges::count_if(
        rows, [&](const PostureRow& row) { return row.configured.starts_with(state); });
  };
  const auto disagree = std::ranges::count(rows, kDisagrees, &PostureRow::agrees);
  std::string text = fmt::format(
      "# Security-relevant options of {}\n\n{} on, {} off, {} not in this kernel. {}\n\n",
      Cell(run.kernel.release.empty() ? run.kernel.spec : run.kernel.release), configured("on"),
      configured("off"), configured("gone"),
      disagree == 0
          ? "Wherever the running system shows an option, it agrees with the configuration."
          : fmt::format("The running system does not agree with the configuration of {}.",
                        disagree));
  std::vector<Cells> lines = {{"option", "configured", "running", "agree?", "why it matters"}};
  for (const PostureRow& row : rows) lines.push_back(CellsOf(row));
  std::array<size_t, 5> widths{};
  for (const Cells& cells : lines) {
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], WidthOf(cells[i]));
  }
  widths.back() = WidthOf(lines[0].back());
  Cells rule;
  std::ranges::transform(widths, rule.begin(),
                         [](size_t width) { return std::string(width, '-'); });
  lines.insert(lines.begin() + 1, rule);
  for (const Cells& cells : lines) text += Line(cells, widths);
  return text;
}

}  // namespace kassay
