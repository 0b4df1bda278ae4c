#include "harness/vm/boot.h"

#include <termios.h>
#include <unistd.h>

#include "harness/base/process/program.h"
#include "harness/vm/boot_attempt.h"
#include "harness/vm/boot_path.h"
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

Result<BootedGuest> BootFresh(const MachineSpec& spec, const VmOptions& options) {
  KASSAY_TRY(const AcceleratorChoice choice, ChooseAccelerator(spec, options));
  BootPlan plan;
  plan.spec = &spec;
  plan.accelerator = choice.accelerator;
  plan.limit = options.boot_limit;
  KASSAY_TRY(plan.qemu, FindQemu(options));
  KASSAY_TRY(plan.boot, BootModeFor(spec.kernel, spec.profile, options));
  KASSAY_TRY(BootedMachine booted, BootOrExplain(plan, options));
  NoteTroubles(spec, booted.hello, options);
  return BootedGuest{std::move(booted.machine), std::move(booted.facts)};
}

Status RunShell(const MachineSpec& spec, const VmOptions& options) {
  KASSAY_TRY(const AcceleratorChoice choice, ChooseAccelerator(spec, options));
  KASSAY_TRY(const QemuBinary qemu, FindQemu(options));
  KASSAY_TRY(const BootMode boot, BootModeFor(spec.kernel, spec.profile, options));
  KASSAY_TRY(const UniqueFd kernel, KernelFor(spec, boot));
  KASSAY_TRY(const UniqueFd initramfs, InitramfsFor(spec));
  KASSAY_TRY(const UniqueFd disk, BlankDisk(spec.profile));
  MachineArguments arguments;
  arguments.profile = &spec.profile;
  arguments.accelerator = choice.accelerator;
  arguments.boot = boot;
  arguments.kernel_command_line = KernelCommandLine(spec.profile, boot) + " kassay.shell";
  arguments.fds.kernel = kernel.Get();
  arguments.fds.initramfs = initramfs.Get();
  arguments.fds.disk = disk.Get();

  Command command{.argv = QemuArguments(arguments), .foreground = true};
  command.argv.insert(command.argv.begin(), qemu.path);
  Attachments attached{.input = STDIN_FILENO, .output = STDOUT_FILENO, .errors = STDERR_FILENO};
  attached.user = QemuUser();
  for (const int fd : {kernel.Get(), initramfs.Get(), disk.Get()}) {
    if (fd >= 0) attached.inherited.push_back(fd);
  }
  const TerminalState restored_at_the_end;
  KASSAY_TRY(ChildProcess process, ChildProcess::Start(command, attached));
  std::vector<Stream> none;
  KASSAY_TRY(const Ending ending, Supervise(process, none, {.time = std::nullopt}));
  if (ending.Succeeded()) return {};
  return Fail("QEMU " + ending.Words());
}

}  // namespace kassay
