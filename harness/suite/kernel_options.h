// The kernel options that the suites name in their catalogues, as a fragment that a kernel's own
// scripts/kconfig/merge_config.sh takes.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/suite/catalogue.h"

namespace kassay {

// The options as lines of a .config, in the order in which the catalogues name them, each once,
// under a comment that says who names it first: "CONFIG_X" becomes CONFIG_X=y. An option that two
// ask for with different values is an error that names both.
[[nodiscard]] Result<std::string> OptionsFragment(const std::vector<Catalogue>& catalogues);

// Of what suites and features name alone: for the minimal reference kernel
// (StoreOptions::suites_fragment). What single requirements name beyond stays off: that their cases
// are left out with the option's name is part of what that kernel shows.
[[nodiscard]] Result<std::string> FeaturesFragment(std::vector<Catalogue> catalogues);

}  // namespace kassay
