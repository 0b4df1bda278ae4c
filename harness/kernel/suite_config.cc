#include "harness/kernel/suite_config.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <map>

#include "harness/base/file.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxCatalogueBytes = size_t{4} << 20;

// The catalogue's form is checked where it is read whole (harness/suite/catalogue.h).
void Take(const toml::table& owner, SuiteOption option, std::vector<SuiteOption>& options) {
  for (const char* key : {"kconfig", "needs"}) {
    const toml::array* terms = owner[key].as_array();
    if (terms == nullptr) continue;
    for (const toml::node& term : *terms) {
      option.term = term.value_or(std::string());
      if (!option.term.empty()) options.push_back(option);
    }
  }
}

Status TakeCatalogue(const fs::path& file, const std::string& suite,
                     std::vector<SuiteOption>& options) {
  KASSAY_TRY(const std::string text, ReadFile(file, kMaxCatalogueBytes));
  toml::table root;
  try {
    root = toml::parse(text, file.string());
  } catch (const toml::parse_error& error) {
    return Fail(
        fmt::format("{}:{}: {}", file.string(), error.source().begin.line, error.description()),
        ExitCode::kUsage);
  }
  using By = SuiteOption::By;
  if (const toml::table* table = root["suite"].as_table())
    Take(*table, {suite, By::kSuite, suite, ""}, options);
  for (const auto& [key, by] :
       {std::pair{"feature", By::kFeature}, {"requirement", By::kRequirement}}) {
    const toml::array* owners = root[key].as_array();
    if (owners == nullptr) continue;
    for (const toml::node& owner : *owners) {
      const toml::table* table = owner.as_table();
      if (table == nullptr) continue;
      Take(*table, {suite, by, (*table)["id"].value_or(std::string("?")), ""}, options);
    }
  }
  return {};
}

// "CONFIG_X=value" gives CONFIG_X and the value as a .config writes it.
std::pair<std::string, std::string> SettingOf(const std::string& term) {
  if (term.starts_with('!')) return {term.substr(1), "n"};
  const size_t equals = term.find('=');
  if (equals == std::string::npos) return {term, "y"};
  return {term.substr(0, equals), term.substr(equals + 1)};
}

std::string LineOf(const std::string& symbol, const std::string& value) {
  if (value == "n") return fmt::format("# {} is not set\n", symbol);
  const bool bare =
      value == "y" || value == "m" ||
      std::all_of(value.begin(), value.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return bare ? fmt::format("{}={}\n", symbol, value) : fmt::format("{}=\"{}\"\n", symbol, value);
}

}  // namespace

Result<std::vector<SuiteOption>> OptionsOfSuites(const fs::path& suites_dir,
                                                 const std::vector<std::string>& names) {
  std::vector<std::string> suites = names;
  if (suites.empty()) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(suites_dir, error)) {
      std::error_code ignored;
      if (fs::exists(entry.path() / "requirements.toml", ignored))
        suites.push_back(entry.path().filename());
    }
    if (error) return Fail("cannot read " + suites_dir.string() + ": " + error.message());
    std::sort(suites.begin(), suites.end());
  }
  std::vector<SuiteOption> options;
  for (const std::string& suite : suites) {
    const fs::path file = suites_dir / suite / "requirements.toml";
    std::error_code ignored;
    if (suite.find('/') != std::string::npos || !fs::exists(file, ignored))
      return Fail(fmt::format("no suite '{}'; `kassay list suites` shows them", suite),
                  ExitCode::kUsage);
    KASSAY_CHECK(TakeCatalogue(file, suite, options));
  }
  return options;
}

std::string SymbolOf(const std::string& term) { return SettingOf(term).first; }

Result<std::string> AsFragment(const std::vector<SuiteOption>& options) {
  std::string text;
  std::string head;
  std::map<std::string, std::pair<std::string, const SuiteOption*>> seen;
  for (const SuiteOption& option : options) {
    const auto [symbol, value] = SettingOf(option.term);
    const auto [at, is_new] = seen.try_emplace(symbol, value, &option);
    if (!is_new && at->second.first != value) {
      return Fail(
          fmt::format("{} {} asks for {}, {} {} for {}", option.suite, option.of, option.term,
                      at->second.second->suite, at->second.second->of, at->second.second->term),
          ExitCode::kUsage);
    }
    if (!is_new) continue;
    const std::string of = option.by == SuiteOption::By::kSuite
                               ? option.suite
                               : fmt::format("{}: {}", option.suite, option.of);
    if (of != head) text += fmt::format("# {}\n", of);
    head = of;
    text += LineOf(symbol, value);
  }
  return text;
}

}  // namespace kassay
