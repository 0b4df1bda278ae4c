// The fragments of vm/kconfig as one configuration, and whether Kconfig took it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/host/kernel/kernel.h"

namespace kassay {

struct ConfigWish {
  std::string symbol;    // "CONFIG_X"
  std::string value;     // as KernelConfig::Value gives it
  std::string fragment;  // "40-trust.config"
};

struct Fragments {
  std::string text;  // all of them, in the order of their names
  std::vector<ConfigWish> wishes;
};

// Every *.config of the folder. Fails on one that cannot be parsed, on none, and on an option that
// two ask for with different values.
[[nodiscard]] Result<Fragments> ReadFragments(const std::filesystem::path& kconfig_dir);

// The wishes that `config` does not have, each as "CONFIG_X=y (40-trust.config)".
[[nodiscard]] std::vector<std::string> UnmetWishes(const Fragments& fragments,
                                                   const KernelConfig& config);

}  // namespace kassay
