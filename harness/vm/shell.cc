// A machine on a terminal.
#include <termios.h>
#include <unistd.h>

#include "harness/base/process/program.h"
#include "harness/vm/boot.h"
#include "harness/vm/qemu_user.h"

namespace kassay {
namespace {

// QEMU sets the terminal raw; if it is killed, nobody else sets it back.
class TerminalState {
 public:
  TerminalState() : saved_(::tcgetattr(STDIN_FILENO, &attributes_) == 0) {}
  TerminalState(const TerminalState&) = delete;
  TerminalState& operator=(const TerminalState&) = delete;
  ~TerminalState() {
    if (saved_) ::tcsetattr(STDIN_FILENO, TCSANOW, &attributes_);
  }

 private:
  termios attributes_{};
  bool saved_;
};

}  // namespace

Status RunShell(const MachineSpec& spec, const VmOptions& options) {
  KASSAY_TRY(const BootPlan plan, PlanBoot(spec, options));
  MachineArguments arguments = ArgumentsOf(plan);
  arguments.kernel_command_line += " kassay.shell";
  KASSAY_TRY(const BootFiles files, OpenBootFiles(plan, arguments.fds));
  Command command{.argv = QemuArguments(arguments), .foreground = true};
  command.argv.insert(command.argv.begin(), plan.qemu.path);
  Attachments attached{.input = STDIN_FILENO, .output = STDOUT_FILENO, .errors = STDERR_FILENO};
  attached.user = QemuUser();
  attached.inherited = arguments.fds.Open();
  const TerminalState restored_at_the_end;
  KASSAY_TRY(ChildProcess process, ChildProcess::Start(command, attached));
  std::vector<Stream> none;
  KASSAY_TRY(const Ending ending, Supervise(process, none, {.time = std::nullopt}));
  if (ending.Succeeded()) return {};
  return Fail("QEMU " + ending.Words());
}

}  // namespace kassay
