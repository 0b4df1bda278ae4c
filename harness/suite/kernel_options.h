// The kernel options that the suites name in their catalogues, as a fragment that a kernel's own
// scripts/kconfig/merge_config.sh takes.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/suite/catalogue.h"

namespace kassay {

struct SuiteOption {
  enum class By { kSuite, kFeature, kRequirement };

  std::string suite;
  By by = By::kSuite;
  std::string of;    // the feature or requirement that names it; the suite's name for kSuite
  std::string term;  // "CONFIG_X", "CONFIG_X=value" or "!CONFIG_X"
};

// In the order in which the catalogues name them.
[[nodiscard]] std::vector<SuiteOption> OptionsOf(const std::vector<Catalogue>& catalogues);

// The options as lines of a .config, each once, under a comment that says who names it first:
// "CONFIG_X" becomes CONFIG_X=y. An option that two ask for with different values is an error that
// names both.
[[nodiscard]] Result<std::string> AsFragment(const std::vector<SuiteOption>& options);

// What suites and features name, as a fragment: for the minimal reference kernel
// (StoreOptions::suites_fragment). What single requirements name beyond stays off: that their cases
// are left out with the option's name is part of what that kernel shows.
[[nodiscard]] Result<std::string> FeaturesFragment(const std::vector<Catalogue>& catalogues);

}  // namespace kassay
