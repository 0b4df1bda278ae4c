// Compilers and linkers, run in a folder of their own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

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
  bool started = false;  // the program was found
  int exit_code = -1;    // 128 + signal if one ended it
  std::string output;    // standard output and error, at most 1 MiB
};

// arguments[0] is looked up in $PATH; the program runs in `folder`.
[[nodiscard]] ToolRun RunTool(const std::vector<std::string>& arguments,
                              const std::filesystem::path& folder);

}  // namespace kassay::compile
