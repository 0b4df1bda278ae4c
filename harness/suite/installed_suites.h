// The suites that an installation has: its own, and those of the folders that a user names beside
// them. Our own are at data_dir/suites/NAME/requirements.toml and libexec_dir/suites/NAME; a
// folder of others holds NAME/requirements.toml and the executable NAME/NAME. A name in two places
// is a usage error that says where.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/base/installation.h"
#include "harness/base/result.h"
#include "harness/suite/case_list.h"
#include "harness/suite/catalogue.h"

namespace kassay {

struct Suite {
  Catalogue catalogue;
  CaseList list;
};

struct SuiteFiles {
  std::filesystem::path catalogue;   // the file; it is there
  std::filesystem::path executable;  // not there if the suite is not built
};

// An unknown name is a usage error that says which there are.
[[nodiscard]] Result<SuiteFiles> FindSuite(const Installation& installation,
                                           const std::string& name);

// The names of those that are built; none is an error.
[[nodiscard]] Result<std::vector<std::string>> InstalledSuites(const Installation& installation);

// The catalogues of these, of all known suites without names.
[[nodiscard]] Result<std::vector<Catalogue>> LoadCatalogues(const Installation& installation,
                                                            std::vector<std::string> names = {});

// One suite, read and listed; its answer is kept below cache_dir/lists.
[[nodiscard]] Result<Suite> LoadSuite(const Installation& installation, const std::string& name);
[[nodiscard]] Result<std::vector<Suite>> LoadSuites(const Installation& installation,
                                                    const std::vector<std::string>& names);

// By suite, SHA-256 over its executable and catalogue: the version of the tests.
[[nodiscard]] Result<std::map<std::string, std::string>> Sha256OfSuites(
    const Installation& installation, const std::vector<std::string>& names);

}  // namespace kassay
