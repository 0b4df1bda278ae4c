#include "harness/vm/live_machine.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "harness/base/interrupt.h"
#include "harness/base/process/pipe.h"
#include "harness/vm/console.h"
#include "harness/vm/qemu_user.h"

namespace kassay {
namespace {

using Json = nlohmann::json;

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<SocketPair> MakeSocketPair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return FailErrno("socketpair");
  return SocketPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Memory stays in its file, and progress is told by events.
Json SnapshotCapabilities() {
  return {{"capabilities",
           {{{"capability", "x-ignore-shared"}, {"state", true}},
            {{"capability", "events"}, {"state", true}}}}};
}

}  // namespace

Result<std::unique_ptr<LiveMachine>> LiveMachine::Start(const std::filesystem::path& qemu,
                                                        MachineArguments arguments) {
  KASSAY_TRY(SocketPair monitor, MakeSocketPair());
  KASSAY_TRY(Pipe console, MakeConsolePipe());
  KASSAY_TRY(SocketPair agent, MakeSocketPair());
  KASSAY_TRY(Pipe errors, MakePipe());

  arguments.fds.qmp = monitor.theirs.Get();
  arguments.fds.console = console.writing.Get();
  arguments.fds.agent = agent.theirs.Get();
  std::vector<std::string> argv = QemuArguments(arguments);
  argv.insert(argv.begin(), qemu);
  Attachments attached{.output = errors.writing.Get(), .errors = errors.writing.Get()};
  attached.user = QemuUser();
  attached.inherited = arguments.fds.Open();
  KASSAY_TRY(ChildProcess process, ChildProcess::Start({.argv = std::move(argv)}, attached));
  auto machine = std::unique_ptr<LiveMachine>(
      new LiveMachine(std::move(process), std::move(agent.ours), *arguments.architecture));
  machine->monitor_ = std::move(monitor.ours);
  machine->console_pipe_ = std::move(console.reading);
  machine->errors_ = std::move(errors.reading);
  KASSAY_CHECK(machine->SendMonitor("qmp_capabilities", nullptr, 1));
  if (arguments.fds.state < 0) return machine;
  // All at once; QEMU takes them one after the other.
  machine->loaded_ = false;
  KASSAY_CHECK(machine->SendMonitor("migrate-set-capabilities", SnapshotCapabilities(), 2));
  KASSAY_CHECK(machine->SendMonitor("migrate-incoming",
                                    {{"uri", "fd:" + std::to_string(arguments.fds.state)}}, 3));
  return machine;
}

Status LiveMachine::SendMonitor(const std::string& command, const Json& arguments, int id,
                                int passed_fd) {
  std::string line = EncodeQmpCommand(command, arguments, id);
  iovec data{line.data(), line.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (passed_fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &passed_fd, sizeof(int));
  }
  // A command is far smaller than the socket's buffer.
  const ssize_t put = ::sendmsg(monitor_.Get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  // EPIPE: QEMU is gone, which Pump() sees and tells with QEMU's own words.
  if (put < 0 && errno != EPIPE && errno != ECONNRESET)
    return FailErrno("cannot speak to QEMU's monitor");
  return {};
}

Status LiveMachine::Pump(Clock::time_point deadline, const pollfd& agent) {
  if (exit_) return {};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  std::array<pollfd, 6> fds = {{{InterruptFd(), POLLIN, 0},
                                {monitor_.Get(), POLLIN, 0},
                                {console_pipe_.Get(), POLLIN, 0},
                                agent,
                                {errors_.Get(), POLLIN, 0},
                                {process_.pidfd(), POLLIN, 0}}};
  const int timeout = static_cast<int>(std::clamp<long>(left, 0, 60'000));
  if (::poll(fds.data(), fds.size(), timeout) < 0 && errno != EINTR) return FailErrno("poll");
  if (Interrupted()) return Fail(Interruption());
  // First, so that what QEMU wrote before it ended is taken too.
  if (fds[5].revents != 0) exit_ = process_.Wait(std::chrono::milliseconds(0));
  Drain(console_pipe_, [this](std::string_view bytes) { console_.Append(bytes); });
  Drain(errors_, [this](std::string_view bytes) { qemu_output_.Append(bytes); });
  return TakeMonitor();
}

Status LiveMachine::TakeMonitor() {
  Status status;
  Drain(monitor_, [&](std::string_view bytes) {
    auto messages = qmp_.Append(bytes);
    if (!messages) {
      if (status) status = Fail(messages.error());
      return;
    }
    for (QmpMessage& message : *messages) {
      const std::string migration = TextOf(message.data, "status");
      if (message.event == "MIGRATION" && migration == "completed") loaded_ = true;
      if (message.event == "MIGRATION" && migration == "failed") load_fault_ = "loading failed";
      if (message.event == "SHUTDOWN") shutdown_reason_ = TextOf(message.data, "reason");
      if (message.event == "STOP" && shutdown_reason_.empty()) stop_reason_ = "stopped";
      if (message.event == "RESUME") stop_reason_.clear();
      if (message.kind != QmpMessage::Kind::kAnswer) continue;
      if (message.id < kFirstId && !message.error.empty()) load_fault_ = message.error;
      answers_.insert_or_assign(message.id, std::move(message));
    }
  });
  return status;
}

std::string LiveMachine::QemuSays() const {
  const std::string last = LastLines(qemu_output_.Raw(), 3, 600);
  return last.empty() ? std::string() : ": " + last;
}

Error LiveMachine::BootError(const std::string& what) const {
  std::string message = what + QemuSays();
  const std::string last = LastLines(console_.Raw(), 20);
  message += last.empty() ? "; its console stayed empty" : "; its console ends with:\n" + last;
  return {message};
}

BootFailure LiveMachine::WhyNoHello(Clock::duration limit) const {
  using Kind = BootFailure::Kind;
  const std::string_view console = console_.Raw();
  if (exit_) {
    const std::string death = DeathLine(console);
    if (!death.empty())
      return {Kind::kKernelDied, BootError("the kernel died while it booted (" + death + ")"),
              console};
    // It ends well where the machine reset itself (-no-reboot).
    return {exit_->Succeeded() ? Kind::kMachineReset : Kind::kEmulatorDied,
            BootError("QEMU " + exit_->Words() + " before the guest was up"), console};
  }
  if (IsOver()) {
    // By itself, as it does where KVM cannot go on: a reset ends it.
    return {Kind::kEmulatorDied, BootError("QEMU stopped the machine before the guest was up"),
            console};
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
  return {console.empty() ? Kind::kNoOutput : Kind::kNoAgent,
          BootError("the guest did not come up within " + std::to_string(seconds) + " s"), console};
}

Status LiveMachine::WaitUntilLoaded(Clock::duration limit) {
  const auto deadline = Clock::now() + limit;
  while (!loaded_) {
    KASSAY_CHECK(Pump(deadline));
    if (loaded_ || (!exit_ && load_fault_.empty() && Clock::now() < deadline)) continue;
    return Fail("QEMU could not load the snapshot" +
                (load_fault_.empty() ? "" : " (" + load_fault_ + ")") + QemuSays());
  }
  return {};
}

BootResult<protocol::Hello> LiveMachine::WaitForHello(Clock::duration limit) {
  KASSAY_TRY(AgentSession::Greeting greeting, agent_.WaitForHello(*this, Now() + limit));
  const auto bad = [this](Error error) {
    return tl::unexpected(
        BootFailure(BootFailure::Kind::kBadAgent, std::move(error), console_.Raw()));
  };
  if (!greeting.lie.empty()) return bad(BootError(greeting.lie));
  if (!greeting.hello) return tl::unexpected(WhyNoHello(limit));
  if (greeting.hello->version != protocol::kVersion)
    return bad({"the guest's agent speaks version " + std::to_string(greeting.hello->version) +
                " of the protocol, this kassay " + std::to_string(protocol::kVersion)});
  return *std::move(greeting.hello);
}

Result<Json> LiveMachine::Execute(const std::string& command, const Json& arguments,
                                  Clock::duration limit, int passed_fd) {
  const int id = next_id_++;
  const auto deadline = Clock::now() + limit;
  KASSAY_CHECK(SendMonitor(command, arguments, id, passed_fd));
  while (!answers_.contains(id)) {
    if (exit_) return Fail("QEMU " + exit_->Words() + QemuSays());
    if (Clock::now() >= deadline) return Fail("QEMU did not answer to " + command);
    KASSAY_CHECK(Pump(deadline));
  }
  const QmpMessage answer = std::move(answers_.extract(id).mapped());
  if (!answer.error.empty()) return Fail("QEMU refused " + command + ": " + answer.error);
  return answer.data;
}

Status LiveMachine::Idle(Clock::duration time) {
  const auto deadline = Clock::now() + time;
  while (Clock::now() < deadline && !exit_) KASSAY_CHECK(Pump(deadline));
  if (exit_) return Fail(BootError("QEMU " + exit_->Words()));
  return {};
}

Status LiveMachine::SaveTo(int state) {
  constexpr std::chrono::seconds kLimit{60};
  KASSAY_CHECK(Execute("migrate-set-capabilities", SnapshotCapabilities(), kLimit));
  // Without a `stop` before: a machine saved while it ran goes on by itself once it is loaded.
  KASSAY_CHECK(Execute("getfd", {{"fdname", "state"}}, kLimit, state));
  KASSAY_CHECK(Execute("migrate", {{"uri", "fd:state"}}, kLimit));
  const auto deadline = Clock::now() + kLimit;
  std::string status;
  while (status != "completed") {
    if (Clock::now() >= deadline) return Fail("QEMU did not finish to save the machine");
    KASSAY_TRY(const Json progress, Execute("query-migrate", nullptr, kLimit));
    status = progress.value("status", "");
    if (status == "failed" || status == "cancelled")
      return Fail("QEMU could not save the machine: " + progress.value("error-desc", status));
    if (status != "completed") KASSAY_CHECK(Idle(std::chrono::milliseconds(5)));
  }
  KASSAY_CHECK(Execute("quit", nullptr, kLimit));
  const auto patience = Clock::now() + kLimit;
  while (!exit_ && Clock::now() < patience) KASSAY_CHECK(Pump(patience));
  return exit_ ? Status() : Fail("QEMU does not quit");
}

}  // namespace kassay
