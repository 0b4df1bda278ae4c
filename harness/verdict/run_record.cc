#include "harness/verdict/run_record.h"

#include <fmt/format.h>

#include "harness/base/file.h"
#include "harness/base/sha256.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr const char* kConfigName = "kernel.config";

Status Copy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error)
    return Fail(
        fmt::format("cannot copy {} to {}: {}", from.string(), to.string(), error.message()));
  return {};
}

Result<Suite> ReadSuite(const fs::path& folder, const std::string& name) {
  Suite suite;
  KASSAY_TRY(suite.catalogue, LoadCatalogue(folder / name / "requirements.toml"));
  KASSAY_TRY(const std::string cases, ReadFile(folder / name / "cases.json"));
  auto list = ParseCaseList(cases);
  if (!list) return Fail(list.error().Within((folder / name / "cases.json").string()));
  suite.list = *std::move(list);
  if (suite.list.suite != name)
    return Fail("suites/" + name + "/cases.json is another suite's", ErrorKind::kRefuted);
  return suite;
}

Result<KernelConfig> ReadConfig(const fs::path& file, const KernelIdentity& kernel) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    if (kernel.config_sha256.empty()) return KernelConfig();
    return Fail(file.string() + " is missing", ErrorKind::kRefuted);
  }
  KASSAY_TRY(const std::string text, ReadFile(file));
  if (Sha256Hex(text) != kernel.config_sha256)
    return Fail("kernel.config is not the configuration of the kernel that was tested",
                ErrorKind::kRefuted);
  return KernelConfig::Parse(text);
}

}  // namespace

Status WriteInputs(const fs::path& run_dir, const Installation& installation,
                   const std::vector<Suite>& suites, const std::set<std::string>& profiles,
                   const Kernel& kernel) {
  const fs::path inputs = run_dir / kInputsName;
  for (const Suite& suite : suites) {
    const std::string& name = suite.catalogue.suite;
    const fs::path folder = inputs / "suites" / name;
    KASSAY_TRY(const SuiteFiles files, FindSuite(installation, name));
    KASSAY_CHECK(Copy(files.catalogue, folder / "requirements.toml"));
    KASSAY_CHECK(WriteFileAtomically(folder / "cases.json", ToJson(suite.list)));
  }
  for (const std::string& name : profiles) {
    const std::string file = name + ".toml";
    if (name != kHostProfile)
      KASSAY_CHECK(Copy(installation.ProfilesDir() / file, inputs / "profiles" / file));
  }
  return kernel.config_text.empty() ? Status()
                                    : WriteFileAtomically(inputs / kConfigName, kernel.config_text);
}

Result<RunRecord> ReadRunRecord(const fs::path& run_dir) {
  RunRecord record;
  KASSAY_TRY(record.journal, ReadJournal(run_dir));
  const RunPlanRecord& plan = record.journal.plan;
  for (const std::string& name : plan.suites) {
    KASSAY_TRY(record.suites.emplace_back(), ReadSuite(run_dir / kInputsName / "suites", name));
  }
  KASSAY_CHECK(KeepWanted(record.suites, plan.filters));
  KASSAY_TRY(record.config, ReadConfig(run_dir / kInputsName / kConfigName, plan.kernel));
  return record;
}

Result<std::map<std::string, Profile>> ReadProfiles(const fs::path& run_dir) {
  const fs::path folder = run_dir / kInputsName / "profiles";
  std::map<std::string, Profile> profiles;
  std::error_code ignored;  // a run on this machine alone has none
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().stem();
    KASSAY_TRY(profiles[name], LoadProfile(folder, name));
  }
  return profiles;
}

}  // namespace kassay
