// Many kernels against features and requirements.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/compare/baseline.h"

namespace kassay {

struct MatrixCell {
  bool ran = false;
  std::string state;   // a feature's status or a requirement's worst verdict, as their ToString()
  std::string reason;  // of the status, or of the case that decides
  size_t holds = 0;    // requirements (of a feature) or cases (of a requirement) that hold ...
  size_t total = 0;    // ... of those with a verdict other than absent
  std::vector<std::string> cases;  // of a requirement: those that do not pass, with verdict
};

struct MatrixFeature {
  std::string id;
  std::string suite;
  std::vector<MatrixCell> cells;                                // one a kernel
  std::map<std::string, std::vector<MatrixCell>> requirements;  // by id, theirs
};

struct MatrixKernel {
  KernelIdentity identity;
  std::string name;     // for the column's head
  std::string verdict;  // "conformant", "nonconformant", ...
};

struct Matrix {
  std::vector<MatrixKernel> kernels;
  std::vector<MatrixFeature> features;  // sorted by suite, then id
};

// `feature_of` tells the feature of a requirement; requirements it does not know stand under their
// suite.
[[nodiscard]] Matrix MatrixOf(const std::vector<Baseline>& kernels,
                              const std::map<std::string, std::string>& feature_of);

// For a terminal: one row a feature, one column a kernel; with requirements below if asked for.
[[nodiscard]] std::string ToTable(const Matrix& matrix, bool requirements);
[[nodiscard]] std::string ToMarkdown(const Matrix& matrix, bool requirements);
[[nodiscard]] std::string ToJson(const Matrix& matrix);

}  // namespace kassay
