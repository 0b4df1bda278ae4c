#include "suites/support/compile/tool.h"

#include <cstdlib>

namespace kassay::compile {
namespace fs = std::filesystem;

constexpr size_t kMaxOutput = size_t{1} << 20;

ScratchFolder::ScratchFolder() {
  std::string name = (fs::temp_directory_path() / "kassay-compile-XXXXXX").string();
  if (mkdtemp(name.data()) != nullptr) path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<ToolRun> RunTool(const std::vector<std::string>& arguments, const fs::path& folder) {
  ToolRun run;
  // In the foreground: whoever ends this suite with its group ends the tool and its children too.
  const Command command{.argv = arguments, .folder = folder, .foreground = true};
  KASSAY_TRY(const Ending ending,
             StreamProgram(command, {.time = std::nullopt}, [&run](std::string_view bytes) {
               run.output.append(bytes.substr(0, kMaxOutput - run.output.size()));
               return true;
             }));
  run.status = ending.status;
  return run;
}

}  // namespace kassay::compile
