#include "harness/kernel/kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace kassay {
namespace {

constexpr std::string_view kPrefix = "CONFIG_";
constexpr std::string_view kNotSet = " is not set";

bool IsWordChar(unsigned char c) { return std::isalnum(c) != 0 || c == '_'; }

bool IsSymbol(std::string_view name) {
  return name.size() > kPrefix.size() && name.starts_with(kPrefix) &&
         std::all_of(name.begin(), name.end(), IsWordChar);
}

// A tristate or a number, as scripts/kconfig writes them without quotes.
bool IsBareValue(std::string_view value) {
  return !value.empty() &&
         std::all_of(value.begin(), value.end(), [](char c) { return IsWordChar(c) || c == '-'; });
}

// The text between the quotes; scripts/kconfig/confdata.c:escape_string_value() puts a backslash
// before each '"' and '\'.
Result<std::string> Unquote(std::string_view quoted) {
  std::string text;
  for (size_t i = 1; i < quoted.size(); ++i) {
    if (quoted[i] == '"') {
      if (i + 1 != quoted.size()) return Fail("text after the closing quote");
      return text;
    }
    if (quoted[i] == '\\' && ++i == quoted.size()) break;
    text += quoted[i];
  }
  return Fail("no closing quote");
}

struct Setting {
  std::string symbol;
  std::string value;
};

// A comment or an empty line gives a setting without a symbol.
Result<Setting> ParseLine(std::string_view line) {
  if (line.empty()) return Setting{};
  if (line.front() == '#') {
    line.remove_prefix(line.starts_with("# ") ? 2 : 1);
    if (!line.ends_with(kNotSet)) return Setting{};
    line.remove_suffix(kNotSet.size());
    return IsSymbol(line) ? Setting{std::string(line), "n"} : Setting{};
  }
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos || !IsSymbol(line.substr(0, equals)))
    return Fail("neither CONFIG_X=value nor a comment");
  Setting setting{std::string(line.substr(0, equals)), std::string(line.substr(equals + 1))};
  if (setting.value.starts_with('"')) {
    KASSAY_TRY(setting.value, Unquote(setting.value));
  } else if (!IsBareValue(setting.value)) {
    return Fail("not a kernel configuration value");
  }
  return setting;
}

}  // namespace

Result<KernelConfig> KernelConfig::Parse(std::string_view text) {
  KernelConfig config;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    auto setting = ParseLine(text.substr(0, end));
    if (!setting) {
      return Fail(
          fmt::format("line {} of the kernel configuration: {}", number, setting.error().message));
    }
    // As for make oldconfig, the last word on a symbol counts.
    if (!setting->symbol.empty()) {
      config.values_.insert_or_assign(std::move(setting->symbol), std::move(setting->value));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return config;
}

std::string KernelConfig::Value(std::string_view symbol) const {
  const auto found = values_.find(symbol);
  return found == values_.end() ? "n" : found->second;
}

bool KernelConfig::Mentions(std::string_view symbol) const { return values_.contains(symbol); }

Result<KernelVersion> ParseKernelVersion(std::string_view release) {
  const auto bad = [&] {
    return Fail("'" + std::string(release) +
                "' is not a kernel version: expected MAJOR[.MINOR[.PATCH]] and then anything");
  };
  KernelVersion version;
  const char* at = release.data();
  const char* const end = at + release.size();
  for (int* part : {&version.major, &version.minor, &version.patch}) {
    const bool is_digit = at != end && *at >= '0' && *at <= '9';
    const auto [next, error] = std::from_chars(at, end, *part);
    if (!is_digit || error != std::errc()) return bad();
    at = next;
    if (at == end || *at != '.') break;
    ++at;
  }
  return version;
}

}  // namespace kassay
