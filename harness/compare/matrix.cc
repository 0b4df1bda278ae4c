#include "harness/compare/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>

#include "harness/compare/compare_text.h"
#include "harness/result/json_identity.h"

namespace kassay {
namespace {

// Worst first; what stands behind `pass` says that nothing was tested.
int Rank(const std::string& verdict) {
  constexpr const char* kOrder[] = {"crash", "fail", "timeout", "error", "unmet", "pass", "absent"};
  return static_cast<int>(std::ranges::find(kOrder, verdict) - std::begin(kOrder));
}

void AddCase(const BaselineCase& c, MatrixCell& cell) {
  const std::string verdict(ToString(c.verdict));
  if (!cell.ran || Rank(verdict) < Rank(cell.state)) {
    cell.state = verdict;
    cell.reason = c.reason;
  }
  cell.ran = true;
  if (c.verdict != Verdict::kAbsent) ++cell.total;
  if (c.verdict == Verdict::kPass) ++cell.holds;
  if (c.verdict != Verdict::kPass) cell.cases.push_back(c.id + ": " + Describe(c));
}

std::string VerdictOf(const Baseline& kernel) {
  bool unsure = kernel.cases.empty();
  for (const BaselineCase& c : kernel.cases) {
    if (IsNonconformant(c.verdict) && c.waiver.empty()) return "nonconformant";
    unsure = unsure || c.verdict == Verdict::kError;
  }
  for (const BaselineFeature& f : kernel.features) {
    if (f.status == FeatureStatus::kMissing) return "nonconformant";
  }
  return unsure ? "could not test" : "conformant";
}

// A feature that no probe spoke about stands as its requirements do.
void Sum(MatrixFeature& feature, size_t column) {
  MatrixCell& cell = feature.cells[column];
  const MatrixCell* worst = nullptr;
  for (const auto& [id, cells] : feature.requirements) {
    const MatrixCell& inner = cells[column];
    if (!inner.ran) continue;
    if (worst == nullptr || Rank(inner.state) < Rank(worst->state)) worst = &inner;
    if (inner.state == "absent") continue;
    ++cell.total;
    if (inner.state == "pass") ++cell.holds;
  }
  if (cell.ran || worst == nullptr) return;
  cell.ran = true;
  cell.state = worst->state;
  cell.reason = worst->reason;
}

std::string Short(const MatrixCell& cell) {
  if (!cell.ran) return "-";
  // What holds of a feature that is not there is how it says so: no count is meant.
  if (cell.total == 0 || cell.state == "absent" || cell.state == "disabled") return cell.state;
  const bool plain = cell.state == "pass" || cell.state == "conformant";
  const std::string count = fmt::format("{}/{}", cell.holds, cell.total);
  return plain ? count : cell.state + " " + count;
}

Json Write(const std::vector<MatrixCell>& cells) {
  Json list = Json::array();
  for (const MatrixCell& cell : cells) {
    if (!cell.ran) {
      list.push_back(nullptr);
      continue;
    }
    Json json = {{"state", cell.state}, {"holds", cell.holds}, {"total", cell.total}};
    if (!cell.reason.empty()) json["reason"] = cell.reason;
    if (!cell.cases.empty()) json["cases"] = cell.cases;
    list.push_back(std::move(json));
  }
  return list;
}

using Row = std::vector<std::string>;

Row RowOf(const std::string& head, const std::vector<MatrixCell>& cells) {
  Row row{head};
  std::ranges::transform(cells, std::back_inserter(row), Short);
  return row;
}

// A row a feature; those of its requirements, with `indent` in front, if they are asked for. Ids
// stand between `quote`s.
std::vector<Row> RowsOf(const Matrix& matrix, bool requirements, const std::string& indent,
                        const std::string& quote) {
  std::vector<Row> rows;
  for (const MatrixFeature& feature : matrix.features) {
    rows.push_back(RowOf(fmt::format("{0}{1}{0}", quote, feature.id), feature.cells));
    if (!requirements) continue;
    for (const auto& [id, cells] : feature.requirements)
      rows.push_back(RowOf(fmt::format("{0}{1}{2}{1}", indent, quote, id), cells));
  }
  return rows;
}

}  // namespace

Matrix MatrixOf(const std::vector<Baseline>& kernels,
                const std::map<std::string, std::string>& feature_of) {
  Matrix matrix;
  std::map<std::pair<std::string, std::string>, MatrixFeature> features;  // by suite and id
  for (size_t column = 0; column < kernels.size(); ++column) {
    const Baseline& kernel = kernels[column];
    const std::string& spec = kernel.kernel.spec;
    matrix.kernels.push_back(
        {kernel.kernel, spec.empty() ? DisplayName(kernel.kernel) : spec, VerdictOf(kernel)});
    for (const BaselineFeature& f : kernel.features) {
      MatrixFeature& feature = features[{f.suite, f.feature}];
      feature.cells.resize(kernels.size());
      feature.cells[column].ran = true;
      feature.cells[column].state = ToString(f.status);
      feature.cells[column].reason = f.reason;
    }
    for (const BaselineCase& c : kernel.cases) {
      for (const std::string& id : c.requirements) {
        const auto found = feature_of.find(id);
        const std::string suite = c.Suite();
        MatrixFeature& feature =
            features[{suite, found == feature_of.end() ? suite : found->second}];
        feature.cells.resize(kernels.size());
        std::vector<MatrixCell>& cells = feature.requirements[id];
        cells.resize(kernels.size());
        AddCase(c, cells[column]);
      }
    }
  }
  for (auto& [key, feature] : features) {
    std::tie(feature.suite, feature.id) = key;
    for (size_t column = 0; column < kernels.size(); ++column) Sum(feature, column);
    matrix.features.push_back(std::move(feature));
  }
  return matrix;
}

std::string ToTable(const Matrix& matrix, bool requirements) {
  Row head{"feature"};
  Row foot{""};
  for (const MatrixKernel& kernel : matrix.kernels) {
    head.push_back(kernel.name);
    foot.push_back(kernel.verdict);
  }
  std::vector<Row> rows = RowsOf(matrix, requirements, "  ", "");
  rows.insert(rows.begin(), head);
  rows.push_back(foot);
  std::vector<size_t> widths(head.size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i)
      out += fmt::format("{}{:<{}}", i == 0 ? "" : "  ", row[i], widths[i]);
    out += "\n";
  }
  return out;
}

std::string ToMarkdown(const Matrix& matrix, bool requirements) {
  std::string head = "| feature |";
  std::string rule = "\n| --- |";
  std::string foot = "| |";
  for (const MatrixKernel& kernel : matrix.kernels) {
    head += " " + kernel.name + " |";
    rule += " --- |";
    foot += " **" + kernel.verdict + "** |";
  }
  std::string out = head + rule + "\n";
  for (const Row& row : RowsOf(matrix, requirements, "&nbsp;&nbsp;", "`"))
    out += fmt::format("| {} |\n", fmt::join(row, " | "));
  return out + foot + "\n";
}

std::string ToJson(const Matrix& matrix) {
  Json json = {{"format", 1}, {"kind", "matrix"}, {"kernels", Json::array()}};
  for (const MatrixKernel& kernel : matrix.kernels) {
    json["kernels"].push_back({{"name", kernel.name},
                               {"verdict", kernel.verdict},
                               {"identity", JsonOf(kernel.identity)}});
  }
  json["features"] = Json::array();
  for (const MatrixFeature& feature : matrix.features) {
    Json requirements = Json::array();
    for (const auto& [id, cells] : feature.requirements)
      requirements.push_back({{"id", id}, {"cells", Write(cells)}});
    json["features"].push_back({{"id", feature.id},
                                {"suite", feature.suite},
                                {"cells", Write(feature.cells)},
                                {"requirements", std::move(requirements)}});
  }
  return DumpJson(json, 1) + "\n";
}

}  // namespace kassay
