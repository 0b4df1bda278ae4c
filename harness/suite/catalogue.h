// What a suite promises: suites/NAME/requirements.toml as values. CONTRIBUTING.md describes the
// format.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/suite/version_condition.h"

namespace kassay {

struct Feature {
  std::string id;
  std::string title;
  std::string since;                 // as written: "7.0"
  KernelVersion since_version;       // 0.0.0 if the catalogue names none
  std::vector<std::string> kconfig;  // what the kernel has the feature by; all must hold
  std::vector<std::string> needs;    // what its cases rely on beside it, of the same form
};

struct Erratum {
  std::string affects;  // as written
  VersionCondition affected;
  std::string fixed;  // empty while there is no fix
  std::string text;
  std::string source;
  std::vector<std::string> cases;  // globs: only these cases show the bug; empty means all citing
};

struct Requirement {
  std::string id;
  std::string text;
  std::string source;
  std::string feature;
  bool essential = false;  // the feature is not conformant unless this passed
  std::optional<KernelVersion> since;
  std::optional<KernelVersion> until;
  std::vector<std::string> kconfig;  // what its cases rely on beyond feature and suite
  std::string untested;              // why no case cites it
  std::vector<Erratum> errata;
  int line = 0;  // in the catalogue's file
};

struct Catalogue {
  std::string suite;
  std::string title;
  std::string profile;        // of vm/profiles; empty for a suite that runs on the host
  bool runs_on_host = false;  // no VM: the suite tests the kernel's headers or files
  // What every case relies on beside the features' own options; terms of KconfigTerm form.
  std::vector<std::string> kconfig;
  std::vector<Feature> features;
  std::vector<Requirement> requirements;

  // nullptr if there is none of that name.
  [[nodiscard]] const Feature* FindFeature(std::string_view id) const;
  [[nodiscard]] const Requirement* FindRequirement(std::string_view id) const;
};

// Errors name `file_name`, line and what is wrong: unknown or missing keys, wrong types, IDs used
// twice, a requirement of an unknown feature, a bad version or kconfig term.
[[nodiscard]] Result<Catalogue> ParseCatalogue(std::string_view toml, const std::string& file_name);

// A suite's requirements.toml; the suite's name must be that of the file's folder.
[[nodiscard]] Result<Catalogue> LoadCatalogue(const std::filesystem::path& file);

// A kconfig term: "CONFIG_X" (set to anything but n), "CONFIG_X=value" or "!CONFIG_X" (not set).
// Why the config does not satisfy it ("CONFIG_X is not set"), or empty if it does.
[[nodiscard]] std::string WhyKconfigFails(const std::string& term, const KernelConfig& config);
// The first reason of several terms, empty if all hold.
[[nodiscard]] std::string WhyKconfigFails(const std::vector<std::string>& terms,
                                          const KernelConfig& config);

}  // namespace kassay
