#include "harness/image/prepared_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/process/program.h"
#include "harness/base/sha256.h"
#include "harness/protocol/suite_program.h"
#include "harness/suite/installed_suites.h"

namespace kassay {
namespace fs = std::filesystem;

Result<std::string> PreparedKey(const Installation& installation, const Preparation& preparation) {
  KASSAY_TRY(const SuiteFiles files, FindSuite(installation, preparation.suite));
  KASSAY_TRY(const std::string executable_sha256, Sha256HexOfFile(files.executable));
  return Sha256Hex(executable_sha256 + preparation.release + preparation.headers.string());
}

Result<fs::path> PreparedFolder(const Installation& installation, const Preparation& preparation) {
  KASSAY_TRY(const std::string key, PreparedKey(installation, preparation));
  const fs::path folder = installation.cache_dir / "prepared" / key;
  std::error_code error;
  if (fs::exists(folder, error)) return folder;
  KASSAY_TRY(const SuiteFiles files, FindSuite(installation, preparation.suite));
  const fs::path unfinished = fmt::format("{}.{}.part", folder.string(), ::getpid());
  fs::create_directories(unfinished, error);
  if (error) return Fail("cannot make " + unfinished.string() + ": " + error.message());
  const Command command{.argv = {files.executable.string(), kPrepareOption + unfinished.string()},
                        .environment = {{kHeadersVariable, preparation.headers.string()}}};
  const Limits limits{.time = std::chrono::minutes(10)};  // it compiles
  const Result<ProgramOutcome> outcome = RunProgram(command, limits);
  if (outcome && outcome->ending.Succeeded()) fs::rename(unfinished, folder, error);
  // Another run may have been faster: its result is the same.
  fs::remove_all(unfinished, error);
  if (!outcome) return Fail(outcome.error());
  if (!outcome->ending.Succeeded()) {
    return Fail(fmt::format("{} --kassay_prepare {}: {}", preparation.suite,
                            outcome->ending.Words(), outcome->standard_error.substr(0, 300)));
  }
  return folder;
}

}  // namespace kassay
