// Whether a suite keeps the project's promises: nothing is asserted that no requirement says,
// nothing is promised that no case asserts or excuses.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/suite/selection.h"

namespace kassay {

// One line for each breach, empty if there is none. `profiles_dir` is vm/profiles.
[[nodiscard]] std::vector<std::string> BreachesOf(const Suite& suite,
                                                  const std::filesystem::path& profiles_dir);

// IDs of requirements and features that more than one suite uses.
[[nodiscard]] std::vector<std::string> SharedIds(const std::vector<Suite>& suites);

}  // namespace kassay
