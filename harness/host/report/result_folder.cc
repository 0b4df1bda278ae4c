#include "harness/host/report/result_folder.h"

#include "harness/base/file.h"
#include "harness/host/report/junit.h"
#include "harness/host/report/ktap.h"
#include "harness/host/report/posture.h"

namespace kassay {

Status WriteResultFolder(const std::filesystem::path& folder, const RunResult& run) {
  KASSAY_CHECK(WriteFileAtomically(folder / "results.json", ToJson(run)));
  KASSAY_CHECK(WriteFileAtomically(folder / "junit.xml", JUnitOf(run)));
  KASSAY_CHECK(WriteFileAtomically(folder / "results.ktap", KtapOf(run)));
  const std::string posture = PostureTableOf(run);
  return posture.empty() ? Status() : WriteFileAtomically(folder / "posture.md", posture);
}

}  // namespace kassay
