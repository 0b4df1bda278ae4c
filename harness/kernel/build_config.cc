#include "harness/kernel/build_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "harness/base/file.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

Result<std::vector<fs::path>> FilesOf(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".config") files.push_back(entry.path());
  }
  if (files.empty()) return Fail("no *.config in " + folder.string(), ErrorKind::kUsage);
  std::sort(files.begin(), files.end());
  return files;
}

class Joined {
 public:
  Status AddFile(const fs::path& file) {
    KASSAY_TRY(const std::string text, ReadFile(file, size_t{1} << 20));
    const Status added = Add(file.filename(), text);
    if (!added) return Fail(added.error().Within(file.parent_path().string()));
    return {};
  }

  Status Add(const std::string& name, const std::string& text) {
    const auto parsed = KernelConfig::Parse(text);
    if (!parsed) return Fail(parsed.error().Within(name));
    for (const auto& [symbol, value] : parsed->values()) {
      const auto [known, is_new] = wishes_.try_emplace(symbol, ConfigWish{symbol, value, name});
      if (!is_new && known->second.value != value) {
        return Fail(fmt::format("{} asks for {}={}, {} for {}", name, symbol, value,
                                known->second.fragment, known->second.value),
                    ErrorKind::kUsage);
      }
    }
    text_ += text + "\n";
    return {};
  }

  // What the fragment says of options that nothing mentions yet. A symbol is the second word of
  // "# CONFIG_X is not set", else what stands before "=".
  [[nodiscard]] std::string NewOf(const std::string& fragment) const {
    std::string text;
    std::istringstream lines(fragment);
    for (std::string line; std::getline(lines, line);) {
      const bool is_off = line.starts_with("# CONFIG_");
      const std::string symbol =
          is_off ? line.substr(2, line.find(' ', 2) - 2) : line.substr(0, line.find('='));
      if (!wishes_.contains(symbol)) text += line + "\n";
    }
    return text;
  }

  Fragments Finish() && {
    Fragments fragments{std::move(text_), {}};
    for (auto& [symbol, wish] : wishes_) fragments.wishes.push_back(std::move(wish));
    return fragments;
  }

 private:
  std::string text_;
  std::map<std::string, ConfigWish> wishes_;
};

}  // namespace

Result<Fragments> ReadFragments(const fs::path& kconfig_dir) {
  KASSAY_TRY(const std::vector<fs::path> files, FilesOf(kconfig_dir));
  Joined joined;
  for (const fs::path& file : files) KASSAY_CHECK(joined.AddFile(file));
  return std::move(joined).Finish();
}

Result<Fragments> MinimalFragments(const fs::path& kconfig_dir,
                                   const std::string& suites_fragment) {
  Joined joined;
  KASSAY_CHECK(joined.AddFile(kconfig_dir / kBaseFragment));
  KASSAY_TRY(const std::vector<fs::path> files, FilesOf(kconfig_dir / "minimal"));
  for (const fs::path& file : files) KASSAY_CHECK(joined.AddFile(file));
  KASSAY_CHECK(joined.Add("the suites", joined.NewOf(suites_fragment)));
  return std::move(joined).Finish();
}

std::vector<std::string> UnmetWishes(const Fragments& fragments, const KernelConfig& config) {
  std::vector<std::string> unmet;
  for (const ConfigWish& wish : fragments.wishes) {
    if (config.Value(wish.symbol) == wish.value) continue;
    unmet.push_back(fmt::format("{}={} ({})", wish.symbol, wish.value, wish.fragment));
  }
  return unmet;
}

}  // namespace kassay
