#include "harness/kernel/headers.h"

#include "harness/base/file.h"

namespace kassay {

Status CheckHeaders(const std::filesystem::path& folder, const std::string& release) {
  const auto text = ReadFile(folder / "include/config/kernel.release", 4096);
  if (!text) return {};
  const std::string theirs = text->substr(0, text->find('\n'));
  if (theirs == release) return {};
  return Fail("the headers in " + folder.string() + " are of release " + theirs +
                  ", the kernel is " + release + ": what is built with them would not load",
              ErrorKind::kUsage);
}

}  // namespace kassay
