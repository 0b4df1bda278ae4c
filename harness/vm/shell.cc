// A machine on a terminal.
#include <termios.h>
#include <unistd.h>

#include "harness/base/process/program.h"
#include "harness/vm/boot.h"
#include "harness/vm/qemu_user.h"

namespace kassay {

Status RunShell(const MachineSpec& spec, const VmOptions& options) {
  KASSAY_TRY(const BootPlan plan, PlanBoot(spec, options));
  MachineArguments arguments = ArgumentsOf(plan);
  arguments.kernel_command_line += " kassay.shell";
  KASSAY_TRY(const BootFiles files, OpenBootFiles(plan, arguments));
  Command command{.argv = QemuArguments(arguments), .foreground = true};
  command.argv.insert(command.argv.begin(), plan.qemu.path);
  Attachments attached{.input = STDIN_FILENO, .output = STDOUT_FILENO, .errors = STDERR_FILENO};
  attached.user = QemuUser();
  attached.inherited = arguments.fds.Open();
  termios terminal{};
  const bool is_terminal = ::tcgetattr(STDIN_FILENO, &terminal) == 0;
  KASSAY_TRY(ChildProcess process, ChildProcess::Start(command, attached));
  std::vector<Stream> none;
  const Result<Ending> ending = Supervise(process, none, {.time = std::nullopt});
  // QEMU sets the terminal raw; if it is killed, nobody else sets it back.
  if (is_terminal) ::tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
  if (!ending) return Fail(ending.error());
  if (ending->Succeeded()) return {};
  return Fail("QEMU " + ending->Words());
}

}  // namespace kassay
