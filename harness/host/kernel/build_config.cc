#include "harness/host/kernel/build_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/base/file.h"

namespace kassay {
namespace fs = std::filesystem;

Result<Fragments> ReadFragments(const fs::path& kconfig_dir) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(kconfig_dir, error)) {
    if (entry.path().extension() == ".config") files.push_back(entry.path());
  }
  if (files.empty()) return Fail("no *.config in " + kconfig_dir.string(), ExitCode::kUsage);
  std::sort(files.begin(), files.end());
  Fragments fragments;
  std::map<std::string, ConfigWish> wishes;
  for (const fs::path& file : files) {
    KASSAY_TRY(const std::string text, ReadFile(file, size_t{1} << 20));
    const auto parsed = KernelConfig::Parse(text);
    if (!parsed) return Fail(parsed.error().Within(file.string()));
    for (const auto& [symbol, value] : parsed->values()) {
      const ConfigWish wish{symbol, value, file.filename()};
      const auto [known, is_new] = wishes.emplace(symbol, wish);
      if (!is_new && known->second.value != value) {
        return Fail(fmt::format("{} asks for {}={}, {} for {}", file.filename().string(), symbol,
                                value, known->second.fragment, known->second.value),
                    ExitCode::kUsage);
      }
    }
    fragments.text += text + "\n";
  }
  for (auto& [symbol, wish] : wishes) fragments.wishes.push_back(std::move(wish));
  return fragments;
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
