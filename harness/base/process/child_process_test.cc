#include "harness/base/process/child_process.h"

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

Command Shell(const std::string& script) { return {.argv = {"/bin/sh", "-c", script}}; }

bool IsGone(pid_t pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

TEST(ChildProcess, TellsHowItEnded) {
  auto exits = ChildProcess::Start(Shell("exit 3"));
  ASSERT_TRUE(exits) << exits.error().message;
  const auto status = exits->Wait(milliseconds(10000));
  ASSERT_TRUE(status);
  EXPECT_EQ(*status, (WaitStatus{.exit_code = 3}));
  EXPECT_EQ(status->Words(), "ended with exit code 3");
  EXPECT_EQ(exits->Wait(milliseconds(0)), status);
  EXPECT_EQ(exits->End(), *status);

  auto dies = ChildProcess::Start(Shell("kill -ABRT $$"));
  ASSERT_TRUE(dies) << dies.error().message;
  const auto killed = dies->Wait(milliseconds(10000));
  ASSERT_TRUE(killed);
  EXPECT_EQ(*killed, (WaitStatus{.signal = SIGABRT}));
  EXPECT_EQ(killed->Words(), "was killed by SIGABRT");
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
  const Command command =
      Shell("[ -e /proc/self/fd/" + std::to_string(write_end.Get()) +
            " ] && ! [ -e /proc/self/fd/" + std::to_string(read_end.Get()) + " ]");
  auto child = ChildProcess::Start(command, {.inherited = {write_end.Get()}});
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(child->Wait(milliseconds(10000)), WaitStatus{.exit_code = 0});
}

TEST(ChildProcess, ThatCannotStartIsAnError) {
  const auto child = ChildProcess::Start({.argv = {"/no/such/program"}});
  ASSERT_FALSE(child);
  EXPECT_THAT(child.error().message, HasSubstr("/no/such/program: No such file"));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  EXPECT_FALSE(ChildProcess::Start({.argv = {"/bin/true"}, .folder = "/no/such/folder"}));
}

TEST(ChildProcess, IsFoundInThePathAndRunsInItsFolderWithItsVariables) {
  ::setenv("KASSAY_TEST_A", "ours", 1);  // NOLINT(concurrency-mt-unsafe)
  ::setenv("KASSAY_TEST_B", "ours", 1);  // NOLINT(concurrency-mt-unsafe)
  auto child = ChildProcess::Start(
      {.argv = {"sh", "-c",
                "[ $(pwd) = /usr/bin ] && [ $KASSAY_TEST_A$KASSAY_TEST_B = theirsours ]"},
       .environment = {{"KASSAY_TEST_A", "theirs"}},
       .folder = "/usr/bin"});
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(child->Wait(milliseconds(10000)), WaitStatus{.exit_code = 0});
}

// SIGTERM is asked first where there is patience, and does not have the last word.
TEST(ChildProcess, MayEndInOrder) {
  auto child = ChildProcess::Start(Shell("trap 'exit 7' TERM; while :; do sleep 0.01; done"));
  ASSERT_TRUE(child) << child.error().message;
  std::this_thread::sleep_for(milliseconds(200));  // until its trap is set
  EXPECT_EQ(child->End(milliseconds(10000)), (WaitStatus{.exit_code = 7}));
}

TEST(ChildProcess, ThatIgnoresTermIsKilled) {
  auto child = ChildProcess::Start(Shell("trap '' TERM; exec sleep 1000"));
  ASSERT_TRUE(child) << child.error().message;
  std::this_thread::sleep_for(milliseconds(200));  // until it ignores
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(child->End(milliseconds(300)), (WaitStatus{.signal = SIGKILL}));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(300));
}

TEST(ChildProcess, HasASessionOfItsOwnUnlessInTheForeground) {
  const auto session_of = [](bool foreground) {
    Command command = Shell("exec sleep 1000");
    command.foreground = foreground;
    const auto child = ChildProcess::Start(command);
    return child ? std::pair(::getsid(child->pid()) == ::getsid(0),
                             ::getpgid(child->pid()) == ::getpgid(0))
                 : std::pair(!foreground, !foreground);
  };
  EXPECT_EQ(session_of(true), std::pair(true, true));
  EXPECT_EQ(session_of(false), std::pair(false, false));
}

}  // namespace
}  // namespace kassay
