#include "harness/suite/kernel_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace kassay {
namespace {

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

std::vector<SuiteOption> OptionsOf(const std::vector<Catalogue>& catalogues) {
  using By = SuiteOption::By;
  std::vector<SuiteOption> options;
  for (const Catalogue& catalogue : catalogues) {
    const auto take = [&](By by, const std::string& of, const std::vector<std::string>& terms) {
      for (const std::string& term : terms) options.push_back({catalogue.suite, by, of, term});
    };
    take(By::kSuite, catalogue.suite, catalogue.kconfig);
    for (const Feature& feature : catalogue.features) {
      take(By::kFeature, feature.id, feature.kconfig);
      take(By::kFeature, feature.id, feature.needs);
    }
    for (const Requirement& requirement : catalogue.requirements)
      take(By::kRequirement, requirement.id, requirement.kconfig);
  }
  return options;
}

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
          ErrorKind::kUsage);
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

Result<std::string> FeaturesFragment(const std::vector<Catalogue>& catalogues) {
  std::vector<SuiteOption> options = OptionsOf(catalogues);
  std::erase_if(options, [](const SuiteOption& option) {
    return option.by == SuiteOption::By::kRequirement;
  });
  return AsFragment(options);
}

}  // namespace kassay
