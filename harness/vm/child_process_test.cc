#include "harness/vm/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

namespace kassay {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

ProgramSpec Shell(const std::string& script) {
  ProgramSpec spec;
  spec.program = "/bin/sh";
  spec.argv = {"sh", "-c", script};
  return spec;
}

bool IsGone(pid_t pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

TEST(ChildProcess, TellsHowItEnded) {
  auto exits = ChildProcess::Start(Shell("exit 3"));
  ASSERT_TRUE(exits) << exits.error().message;
  const auto status = exits->Wait(milliseconds(10000));
  ASSERT_TRUE(status);
  EXPECT_EQ(DescribeWaitStatus(*status), "ended with exit code 3");
  EXPECT_EQ(exits->Wait(milliseconds(0)), status);

  auto dies = ChildProcess::Start(Shell("kill -ABRT $$"));
  ASSERT_TRUE(dies) << dies.error().message;
  EXPECT_EQ(DescribeWaitStatus(*dies->Wait(milliseconds(10000))),
            "was killed by signal 6 (Aborted)");
}

TEST(ChildProcess, IsKilledAndReapedWithItsOwner) {
  pid_t pid = 0;
  {
    const auto child = ChildProcess::Start(Shell("exec sleep 1000"));
    ASSERT_TRUE(child) << child.error().message;
    pid = child->pid();
    EXPECT_FALSE(IsGone(pid));
  }
  EXPECT_TRUE(IsGone(pid));
}

TEST(ChildProcess, OutlivesTheThreadThatStartedItButNotTheProcess) {
  // The process in between reports the pid of its child and is killed.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    std::optional<ChildProcess> child;
    std::thread([&child] {
      auto started = ChildProcess::Start(Shell("exec sleep 1000"));
      if (started) child.emplace(std::move(*started));
    }).join();
    const pid_t pid = child && !child->Wait(milliseconds(200)) ? child->pid() : -1;
    static_cast<void>(!::write(ends[1], &pid, sizeof pid));
    while (true) ::pause();
  }
  ::close(ends[1]);
  pid_t pid = -1;
  ASSERT_EQ(::read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ::close(ends[0]);
  ASSERT_GT(pid, 0);
  const UniqueFd orphan(::open(("/proc/" + std::to_string(pid)).c_str(), O_DIRECTORY | O_CLOEXEC));
  ::kill(middle, SIGKILL);
  ASSERT_EQ(::waitpid(middle, nullptr, 0), middle);
  // Its new parent may be slow to reap it: gone or a zombie, but no longer running.
  std::string state = "R";
  for (int i = 0; i < 500 && state != "Z" && !state.empty(); ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    const UniqueFd stat(::openat(orphan.Get(), "stat", O_RDONLY | O_CLOEXEC));
    char text[512] = {};
    const ssize_t got = ::read(stat.Get(), text, sizeof text - 1);
    const std::string line(text, got > 0 ? static_cast<std::size_t>(got) : 0);
    const std::size_t close = line.rfind(')');
    state = close == std::string::npos ? "" : line.substr(close + 2, 1);
  }
  EXPECT_TRUE(state == "Z" || state.empty()) << state;
}

TEST(ChildProcess, InheritsWhatIsNamedAndNothingElse) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);  // not even close-on-exec
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  ProgramSpec spec = Shell("[ -e /proc/self/fd/" + std::to_string(write_end.Get()) +
                           " ] && ! [ -e /proc/self/fd/" + std::to_string(read_end.Get()) + " ]");
  spec.inherited = {write_end.Get()};
  auto child = ChildProcess::Start(spec);
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(child->Wait(milliseconds(10000)), 0);
}

TEST(ChildProcess, ThatCannotStartIsAnError) {
  ProgramSpec spec;
  spec.program = "/no/such/program";
  spec.argv = {"x"};
  const auto child = ChildProcess::Start(spec);
  ASSERT_FALSE(child);
  EXPECT_THAT(child.error().message, HasSubstr("/no/such/program: No such file"));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace kassay
