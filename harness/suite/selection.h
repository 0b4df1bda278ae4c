// Which suites and cases a run is about.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/suite/case_list.h"
#include "harness/suite/catalogue.h"
#include "harness/suite/name_pattern.h"

namespace kassay {

struct Suite {
  Catalogue catalogue;
  CaseList list;
};

// The suites of an installation: catalogues under data_dir/suites, executables under
// libexec_dir/suites. A suite without its executable is not installed.
struct Installation {
  std::filesystem::path data_dir;
  std::filesystem::path libexec_dir;
  std::filesystem::path lists_dir;  // where the suites' answers are kept; empty: nowhere

  [[nodiscard]] Result<std::vector<std::string>> InstalledSuites() const;
  // One suite, read and listed. An unknown name is a usage error that says which there are.
  [[nodiscard]] Result<Suite> Load(const std::string& name) const;
  [[nodiscard]] Result<std::vector<Suite>> LoadAll(const std::vector<std::string>& names) const;
  // By suite, SHA-256 over its executable and catalogue: the version of the tests.
  [[nodiscard]] Result<std::map<std::string, std::string>> Sha256Of(
      const std::vector<std::string>& names) const;
};

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
