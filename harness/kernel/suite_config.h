// The kernel options that the suites name in their catalogues, as a fragment that a kernel's own
// scripts/kconfig/merge_config.sh takes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

struct SuiteOption {
  enum class By { kSuite, kFeature, kRequirement };

  std::string suite;
  By by = By::kSuite;
  std::string of;    // the feature or requirement that names it; the suite's name for kSuite
  std::string term;  // "CONFIG_X", "CONFIG_X=value" or "!CONFIG_X"
};

// What suites_dir/NAME/requirements.toml name, in their order; all suites where `names` is empty.
// An unknown suite and a file that is no catalogue are usage errors.
[[nodiscard]] Result<std::vector<SuiteOption>> OptionsOfSuites(
    const std::filesystem::path& suites_dir, const std::vector<std::string>& names = {});

// "CONFIG_X" of any form of term.
[[nodiscard]] std::string SymbolOf(const std::string& term);

// The options as lines of a .config, each once, under a comment that says who names it first:
// "CONFIG_X" becomes CONFIG_X=y. An option that two ask for with different values is an error that
// names both.
[[nodiscard]] Result<std::string> AsFragment(const std::vector<SuiteOption>& options);

}  // namespace kassay
