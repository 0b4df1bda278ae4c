// Compilers and linkers, run in a folder of their own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/process/program.h"

namespace kassay::compile {

// A private folder, removed with everything in it.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct ToolRun {
  WaitStatus status;
  std::string output;  // standard output and error, at most 1 MiB
};

// arguments[0] is looked up in $PATH; the program runs in `folder`. Fails if it cannot be started.
[[nodiscard]] Result<ToolRun> RunTool(const std::vector<std::string>& arguments,
                                      const std::filesystem::path& folder);

}  // namespace kassay::compile
