#include "suites/support/compile/tool.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "harness/base/unique_fd.h"

extern char** environ;

namespace kassay::compile {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxOutput = size_t{1} << 20;

std::string ReadToEnd(int fd) {
  std::string text;
  char chunk[4096];
  while (true) {
    const ssize_t got = read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    if (text.size() < kMaxOutput) text.append(chunk, static_cast<size_t>(got));
  }
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string name = (fs::temp_directory_path() / "kassay-compile-XXXXXX").string();
  if (mkdtemp(name.data()) != nullptr) path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

ToolRun RunTool(const std::vector<std::string>& arguments, const fs::path& folder) {
  ToolRun result;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return result;
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, writing.Get(), 1);
  posix_spawn_file_actions_adddup2(&actions, writing.Get(), 2);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  writing.Reset();
  if (error != 0) return result;
  result.output = ReadToEnd(reading.Get());
  int status = 0;
  waitpid(pid, &status, 0);
  result.started = true;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace kassay::compile
