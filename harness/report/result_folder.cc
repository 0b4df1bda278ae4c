#include "harness/report/result_folder.h"

#include "harness/base/file.h"
#include "harness/report/junit.h"
#include "harness/report/ktap.h"
#include "harness/report/posture.h"

namespace kassay {

Status WriteResultFolder(const std::filesystem::path& folder, const RunResult& run) {
  KASSAY_CHECK(WriteFileAtomically(folder / "results.json", ToJson(run)));
  KASSAY_CHECK(WriteFileAtomically(folder / "junit.xml", JUnitOf(run)));
  KASSAY_CHECK(WriteFileAtomically(folder / "results.ktap", KtapOf(run)));
  const std::string posture = PostureTableOf(run);
  return posture.empty() ? Status() : WriteFileAtomically(folder / "posture.md", posture);
}

}  // namespace kassay
