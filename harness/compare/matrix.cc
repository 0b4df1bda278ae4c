#include "harness/compare/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/compare/compare_text.h"
#include "harness/result/json_identity.h"

namespace kassay {
namespace {

// Worst first; what stands behind `pass` says that nothing was tested.
int Rank(const std::string& verdict) {
  constexpr const char* kOrder[] = {"crash", "fail", "timeout", "error", "unmet", "pass", "absent"};
  const auto* found = std::find(std::begin(kOrder), std::end(kOrder), verdict);
  return static_cast<int>(found - std::begin(kOrder));
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

class Builder {
 public:
  explicit Builder(size_t kernels, const std::map<std::string, std::string>& feature_of)
      : kernels_(kernels), feature_of_(feature_of) {}

  void Add(size_t column, const Baseline& kernel) {
    for (const BaselineFeature& f : kernel.features) {
      MatrixCell& cell = FeatureOf(f.suite, f.feature).cells[column];
      cell.ran = true;
      cell.state = std::string(ToString(f.status));
      cell.reason = f.reason;
    }
    for (const BaselineCase& c : kernel.cases) {
      for (const std::string& id : c.requirements) {
        const auto found = feature_of_.find(id);
        const std::string suite = c.Suite();
        MatrixFeature& feature =
            FeatureOf(suite, found == feature_of_.end() ? suite : found->second);
        AddCase(c, RequirementOf(feature, id).cells[column]);
      }
    }
  }

  std::vector<MatrixFeature> Take() {
    std::vector<MatrixFeature> out;
    for (auto& [key, feature] : features_) {
      for (size_t column = 0; column < kernels_; ++column) Sum(feature, column);
      out.push_back(std::move(feature));
    }
    return out;
  }

 private:
  MatrixFeature& FeatureOf(const std::string& suite, const std::string& id) {
    MatrixFeature& feature = features_[{suite, id}];
    feature.suite = suite;
    feature.id = id;
    feature.cells.resize(kernels_);
    return feature;
  }

  MatrixRequirement& RequirementOf(MatrixFeature& feature, const std::string& id) {
    auto at = std::lower_bound(
        feature.requirements.begin(), feature.requirements.end(), id,
        [](const MatrixRequirement& r, const std::string& key) { return r.id < key; });
    if (at == feature.requirements.end() || at->id != id) {
      at = feature.requirements.insert(at, {id, std::vector<MatrixCell>(kernels_)});
    }
    return *at;
  }

  // A feature that no probe spoke about stands as its requirements do.
  static void Sum(MatrixFeature& feature, size_t column) {
    MatrixCell& cell = feature.cells[column];
    const MatrixCell* worst = nullptr;
    for (const MatrixRequirement& requirement : feature.requirements) {
      const MatrixCell& inner = requirement.cells[column];
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

  size_t kernels_;
  const std::map<std::string, std::string>& feature_of_;
  std::map<std::pair<std::string, std::string>, MatrixFeature> features_;
};

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

template <typename Row>
void ForEachRow(const Matrix& matrix, bool requirements, Row row) {
  for (const MatrixFeature& feature : matrix.features) {
    row(feature.id, feature.cells, false);
    if (!requirements) continue;
    for (const MatrixRequirement& r : feature.requirements) row(r.id, r.cells, true);
  }
}

}  // namespace

Matrix MatrixOf(const std::vector<Baseline>& kernels,
                const std::map<std::string, std::string>& feature_of) {
  Matrix matrix;
  Builder builder(kernels.size(), feature_of);
  for (size_t column = 0; column < kernels.size(); ++column) {
    const KernelIdentity& identity = kernels[column].kernel;
    const std::string name = !identity.spec.empty() ? identity.spec : DisplayName(identity);
    matrix.kernels.push_back({identity, name, VerdictOf(kernels[column])});
    builder.Add(column, kernels[column]);
  }
  matrix.features = builder.Take();
  return matrix;
}

std::string ToTable(const Matrix& matrix, bool requirements) {
  std::vector<size_t> widths{std::string("feature").size()};
  for (const MatrixKernel& kernel : matrix.kernels) {
    widths.push_back(std::max(kernel.name.size(), kernel.verdict.size()));
  }
  ForEachRow(matrix, requirements, [&](const auto& id, const auto& cells, bool inner) {
    widths[0] = std::max(widths[0], id.size() + (inner ? 2 : 0));
    for (size_t i = 0; i < cells.size(); ++i) {
      widths[i + 1] = std::max(widths[i + 1], Short(cells[i]).size());
    }
  });
  std::string out = fmt::format("{:<{}}", "feature", widths[0]);
  for (size_t i = 0; i < matrix.kernels.size(); ++i) {
    out += fmt::format("  {:<{}}", matrix.kernels[i].name, widths[i + 1]);
  }
  out += "\n";
  ForEachRow(matrix, requirements, [&](const auto& id, const auto& cells, bool inner) {
    out += fmt::format("{:<{}}", (inner ? "  " : "") + id, widths[0]);
    for (size_t i = 0; i < cells.size(); ++i) {
      out += fmt::format("  {:<{}}", Short(cells[i]), widths[i + 1]);
    }
    out += "\n";
  });
  out += fmt::format("{:<{}}", "", widths[0]);
  for (size_t i = 0; i < matrix.kernels.size(); ++i) {
    out += fmt::format("  {:<{}}", matrix.kernels[i].verdict, widths[i + 1]);
  }
  return out + "\n";
}

std::string ToMarkdown(const Matrix& matrix, bool requirements) {
  std::string out = "| feature |";
  std::string rule = "\n| --- |";
  for (const MatrixKernel& kernel : matrix.kernels) {
    out += " " + kernel.name + " |";
    rule += " --- |";
  }
  out += rule + "\n";
  ForEachRow(matrix, requirements, [&](const auto& id, const auto& cells, bool inner) {
    out += (inner ? "| &nbsp;&nbsp;`" : "| `") + id + "` |";
    for (const MatrixCell& cell : cells) out += " " + Short(cell) + " |";
    out += "\n";
  });
  out += "| |";
  for (const MatrixKernel& kernel : matrix.kernels) out += " **" + kernel.verdict + "** |";
  return out + "\n";
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
    for (const MatrixRequirement& r : feature.requirements) {
      requirements.push_back({{"id", r.id}, {"cells", Write(r.cells)}});
    }
    json["features"].push_back({{"id", feature.id},
                                {"suite", feature.suite},
                                {"cells", Write(feature.cells)},
                                {"requirements", std::move(requirements)}});
  }
  return DumpJson(json, 1) + "\n";
}

}  // namespace kassay
