// The fixture of cases that compile: without headers or compiler they are unmet, never failed.
#pragma once

#include <gtest/gtest.h>

#include "suites/support/case.h"
#include "suites/support/compile/compile.h"
#include "suites/support/compile/kernel_headers.h"

namespace kassay::compile {

// Why nothing can be compiled here, for a person; empty if it can.
[[nodiscard]] inline std::string WhyNotCompiled() {
  const KernelHeaders headers = FindKernelHeaders();
  if (!headers.problem.empty()) return headers.problem;
  if (!Compile("").started) return ClangProgram() + " cannot be run: apt-get install clang-22";
  return "";
}

class NeedsHeaders : public ::testing::Test {
 protected:
  void SetUp() override {
    static const std::string problem = WhyNotCompiled();
    if (!problem.empty()) KASSAY_UNMET(problem);
  }
};

}  // namespace kassay::compile
