#include "harness/suite/installed_suites.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/sha256.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr const char* kCatalogueFile = "requirements.toml";

bool IsThere(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

using SuitesByName = std::map<std::string, SuiteFiles>;

Status Add(SuitesByName& suites, const fs::path& folder, const fs::path& executables) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    SuiteFiles files{entry.path() / kCatalogueFile,
                     executables.empty() ? entry.path() / name : executables / name};
    if (!IsThere(files.catalogue)) continue;
    const auto [known, is_new] = suites.try_emplace(name, files);
    if (!is_new)
      return Fail(fmt::format("the suite '{}' is in two places: {} and {}", name,
                              known->second.catalogue.string(), files.catalogue.string()),
                  ErrorKind::kUsage);
  }
  if (error) return Fail("cannot read " + folder.string() + ": " + error.message());
  return {};
}

// All that have a catalogue.
Result<SuitesByName> KnownSuites(const Installation& installation) {
  SuitesByName suites;
  KASSAY_CHECK(Add(suites, installation.data_dir / "suites", installation.libexec_dir / "suites"));
  for (const fs::path& folder : installation.suites_dirs) KASSAY_CHECK(Add(suites, folder, {}));
  return suites;
}

std::vector<std::string> NamesOf(const SuitesByName& suites) {
  std::vector<std::string> names;
  names.reserve(suites.size());
  for (const auto& [name, files] : suites) names.push_back(name);
  return names;
}

}  // namespace

Result<SuiteFiles> FindSuite(const Installation& installation, const std::string& name) {
  KASSAY_TRY(const SuitesByName known, KnownSuites(installation));
  if (const auto found = known.find(name); found != known.end()) return found->second;
  return Fail(
      fmt::format("there is no suite '{}'; there are: {}", name, fmt::join(NamesOf(known), ", ")),
      ErrorKind::kUsage);
}

Result<std::vector<std::string>> InstalledSuites(const Installation& installation) {
  KASSAY_TRY(const SuitesByName known, KnownSuites(installation));
  std::vector<std::string> names;
  for (const auto& [name, files] : known) {
    if (IsThere(files.executable)) names.push_back(name);
  }
  if (!names.empty()) return names;
  return Fail(fmt::format("no suite is built: nothing under {}; build with `cmake --build build`",
                          (installation.libexec_dir / "suites").string()));
}

Result<std::vector<Catalogue>> LoadCatalogues(const Installation& installation,
                                              std::vector<std::string> names) {
  if (names.empty()) {
    KASSAY_TRY(const SuitesByName known, KnownSuites(installation));
    names = NamesOf(known);
  }
  std::vector<Catalogue> catalogues;
  for (const std::string& name : names) {
    KASSAY_TRY(const SuiteFiles files, FindSuite(installation, name));
    KASSAY_TRY(catalogues.emplace_back(), LoadCatalogue(files.catalogue));
  }
  return catalogues;
}

Result<Suite> LoadSuite(const Installation& installation, const std::string& name) {
  KASSAY_TRY(const SuiteFiles files, FindSuite(installation, name));
  if (!IsThere(files.executable))
    return Fail(
        fmt::format("the suite '{}' is not built: there is no {}", name, files.executable.string()),
        ErrorKind::kUsage);
  Suite suite;
  KASSAY_TRY(suite.catalogue, LoadCatalogue(files.catalogue));
  const fs::path& cache = installation.cache_dir;
  KASSAY_TRY(suite.list, ListCases(files.executable, cache.empty() ? cache : cache / "lists"));
  return suite;
}

Result<std::vector<Suite>> LoadSuites(const Installation& installation,
                                      const std::vector<std::string>& names) {
  std::vector<Suite> suites;
  for (const std::string& name : names) {
    KASSAY_TRY(suites.emplace_back(), LoadSuite(installation, name));
  }
  return suites;
}

Result<std::map<std::string, std::string>> Sha256OfSuites(const Installation& installation,
                                                          const std::vector<std::string>& names) {
  std::map<std::string, std::string> sums;
  for (const std::string& name : names) {
    KASSAY_TRY(const SuiteFiles files, FindSuite(installation, name));
    KASSAY_TRY(const std::string executable, Sha256HexOfFile(files.executable));
    KASSAY_TRY(const std::string catalogue, Sha256HexOfFile(files.catalogue));
    sums[name] = Sha256Hex(fmt::format("{} {} {}\n", name, executable, catalogue));
  }
  return sums;
}

}  // namespace kassay
