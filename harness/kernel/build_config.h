// The fragments of vm/kconfig as one configuration, and whether Kconfig took it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"

namespace kassay {

struct ConfigWish {
  std::string value;     // as KernelConfig::Value gives it
  std::string fragment;  // "40-trust.config"
};

struct Fragments {
  std::string text;                          // all of them, in the order of their names
  std::map<std::string, ConfigWish> wishes;  // by symbol: "CONFIG_X"
};

// Every *.config of the folder, not of folders in it. Fails on one that cannot be parsed, on none,
// and on an option that two ask for with different values.
[[nodiscard]] Result<Fragments> ReadFragments(const std::filesystem::path& kconfig_dir);

// Of the minimal variant: what kassay itself needs (kBaseFragment), the choices of
// kconfig_dir/minimal, and what the suites ask for; of options that the choices mention, the suites
// have no say.
[[nodiscard]] Result<Fragments> MinimalFragments(const std::filesystem::path& kconfig_dir,
                                                 const std::string& suites_fragment);

// In kconfig_dir: the machine, the console and what the agent needs of a system.
inline constexpr const char* kBaseFragment = "10-base.config";

// The wishes that `config` does not have, each as "CONFIG_X=y (40-trust.config)".
[[nodiscard]] std::vector<std::string> UnmetWishes(const Fragments& fragments,
                                                   const KernelConfig& config);

}  // namespace kassay
