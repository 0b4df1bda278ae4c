#include "harness/kernel/build_config.h"

#include <fmt/format.h>

#include <set>
#include <sstream>

#include "harness/base/file.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

Status Add(const std::string& name, const std::string& text, Fragments& fragments) {
  const auto parsed = KernelConfig::Parse(text);
  if (!parsed) return Fail(parsed.error().Within(name));
  for (const auto& [symbol, value] : parsed->values()) {
    const auto [known, is_new] = fragments.wishes.try_emplace(symbol, ConfigWish{value, name});
    if (!is_new && known->second.value != value) {
      return Fail(fmt::format("{} asks for {}={}, {} for {}", name, symbol, value,
                              known->second.fragment, known->second.value),
                  ErrorKind::kUsage);
    }
  }
  fragments.text += text + "\n";
  return {};
}

Status AddFile(const fs::path& file, Fragments& fragments) {
  KASSAY_TRY(const std::string text, ReadFile(file, size_t{1} << 20));
  const Status added = Add(file.filename(), text, fragments);
  if (!added) return Fail(added.error().Within(file.parent_path().string()));
  return {};
}

Status AddFolder(const fs::path& folder, Fragments& fragments) {
  std::set<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".config") files.insert(entry.path());
  }
  if (files.empty()) return Fail("no *.config in " + folder.string(), ErrorKind::kUsage);
  for (const fs::path& file : files) KASSAY_CHECK(AddFile(file, fragments));
  return {};
}

// What a fragment says of options that nothing mentions yet. A symbol is the second word of
// "# CONFIG_X is not set", else what stands before "=".
std::string NewOf(const std::string& fragment, const Fragments& known) {
  std::string text;
  std::istringstream lines(fragment);
  for (std::string line; std::getline(lines, line);) {
    const bool is_off = line.starts_with("# CONFIG_");
    const std::string symbol =
        is_off ? line.substr(2, line.find(' ', 2) - 2) : line.substr(0, line.find('='));
    if (!known.wishes.contains(symbol)) text += line + "\n";
  }
  return text;
}

}  // namespace

Result<Fragments> ReadFragments(const fs::path& kconfig_dir) {
  Fragments fragments;
  KASSAY_CHECK(AddFolder(kconfig_dir, fragments));
  return fragments;
}

Result<Fragments> MinimalFragments(const fs::path& kconfig_dir,
                                   const std::string& suites_fragment) {
  Fragments fragments;
  KASSAY_CHECK(AddFile(kconfig_dir / kBaseFragment, fragments));
  KASSAY_CHECK(AddFolder(kconfig_dir / "minimal", fragments));
  KASSAY_CHECK(Add("the suites", NewOf(suites_fragment, fragments), fragments));
  return fragments;
}

std::vector<std::string> UnmetWishes(const Fragments& fragments, const KernelConfig& config) {
  std::vector<std::string> unmet;
  for (const auto& [symbol, wish] : fragments.wishes) {
    if (config.Value(symbol) == wish.value) continue;
    unmet.push_back(fmt::format("{}={} ({})", symbol, wish.value, wish.fragment));
  }
  return unmet;
}

}  // namespace kassay
