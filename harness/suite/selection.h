// Which suites and cases a run is about.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/suite/installed_suites.h"
#include "harness/suite/name_pattern.h"

namespace kassay {

struct Selection {
  std::vector<Suite> suites;  // by name; their lists hold only the cases that are wanted
};

// `suite_names` empty means all; a suite without a wanted case is left out unless it was named.
// Usage errors: an unknown suite, a pattern that matches nothing (each of them must match).
[[nodiscard]] Result<Selection> Select(const Installation& installation,
                                       const std::vector<std::string>& suite_names,
                                       const std::vector<std::string>& filters);

// Takes the cases away that the filters do not want. Usage errors: a pattern that matches nothing,
// nothing left.
[[nodiscard]] Status KeepWanted(std::vector<Suite>& suites,
                                const std::vector<std::string>& filters);

// The profiles that the probes and cases of these suites run under.
[[nodiscard]] std::set<std::string> ProfilesOf(const std::vector<Suite>& suites,
                                               const std::string& profile_override);

// The profile that a case runs under: its own, else `profile_override`, else its suite's.
[[nodiscard]] std::string ProfileOf(const Suite& suite, const ListedCase& listed,
                                    const std::string& profile_override);
// The same for a suite's probe.
[[nodiscard]] std::string ProbeProfileOf(const Suite& suite, const std::string& profile_override);

}  // namespace kassay
