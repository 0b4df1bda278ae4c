#include "harness/host/report/result_folder.h"

#include "harness/base/file.h"
#include "harness/host/report/junit.h"
#include "harness/host/report/ktap.h"

namespace kassay {

Status WriteResultFolder(const std::filesystem::path& folder, const RunResult& run) {
  KASSAY_CHECK(WriteFileAtomically(folder / "results.json", ToJson(run)));
  KASSAY_CHECK(WriteFileAtomically(folder / "junit.xml", JUnitOf(run)));
  return WriteFileAtomically(folder / "results.ktap", KtapOf(run));
}

}  // namespace kassay
