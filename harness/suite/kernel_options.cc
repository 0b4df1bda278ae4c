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

class Fragment {
 public:
  // `of` is the feature or requirement that names them; empty for the suite itself.
  Status Add(const std::string& suite, const std::string& of,
             const std::vector<std::string>& terms) {
    const std::string who = suite + " " + (of.empty() ? suite : of);
    for (const std::string& term : terms) {
      const auto [symbol, value] = SettingOf(term);
      const auto [first, is_new] =
          seen_.try_emplace(symbol, value, fmt::format("{} for {}", who, term));
      if (first->second.first != value) {
        return Fail(fmt::format("{} asks for {}, {}", who, term, first->second.second),
                    ErrorKind::kUsage);
      }
      if (!is_new) continue;
      const std::string head = of.empty() ? suite : fmt::format("{}: {}", suite, of);
      if (std::exchange(head_, head) != head) text_ += fmt::format("# {}\n", head);
      text_ += LineOf(symbol, value);
    }
    return {};
  }

  [[nodiscard]] const std::string& Text() const { return text_; }

 private:
  std::string text_;
  std::string head_;  // of the lines at its end
  // By symbol: the value, and who asks for it by which term.
  std::map<std::string, std::pair<std::string, std::string>> seen_;
};

}  // namespace

Result<std::string> OptionsFragment(const std::vector<Catalogue>& catalogues) {
  Fragment fragment;
  for (const Catalogue& catalogue : catalogues) {
    KASSAY_CHECK(fragment.Add(catalogue.suite, "", catalogue.kconfig));
    for (const Feature& feature : catalogue.features) {
      KASSAY_CHECK(fragment.Add(catalogue.suite, feature.id, feature.kconfig));
      KASSAY_CHECK(fragment.Add(catalogue.suite, feature.id, feature.needs));
    }
    for (const Requirement& requirement : catalogue.requirements)
      KASSAY_CHECK(fragment.Add(catalogue.suite, requirement.id, requirement.kconfig));
  }
  return fragment.Text();
}

Result<std::string> FeaturesFragment(std::vector<Catalogue> catalogues) {
  for (Catalogue& catalogue : catalogues) catalogue.requirements.clear();
  return OptionsFragment(catalogues);
}

}  // namespace kassay
