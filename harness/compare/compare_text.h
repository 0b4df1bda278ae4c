// A comparison for people and scripts.
#pragma once

#include <string>

#include "harness/compare/compare.h"

namespace kassay {

// For a terminal. Control characters of the guest's text are shown as '?'.
[[nodiscard]] std::string ToTable(const Comparison& comparison);

// For a pull request (GitHub and GitLab flavour): a one-line verdict, then what got worse, what got
// better, and the rest folded. Text of the guest is in code spans and cannot become markup.
[[nodiscard]] std::string ToMarkdown(const Comparison& comparison);

[[nodiscard]] std::string ToJson(const Comparison& comparison);

// "worse: 2 regressed, 1 lost" or "not worse: 1 fixed", for a last line.
[[nodiscard]] std::string Summary(const Comparison& comparison);

// "debian linux 7.0.13-1~bpo13+1" for a heading; the release for a kernel without package.
[[nodiscard]] std::string DisplayName(const KernelIdentity& kernel);

// Why a case stands as it does, in one line: verdict, reason, known bug.
[[nodiscard]] std::string Describe(const BaselineCase& c);

}  // namespace kassay
