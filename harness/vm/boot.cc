#include "harness/vm/boot.h"

#include <termios.h>
#include <unistd.h>

#include "harness/base/interrupt.h"
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

  ProgramSpec program;
  program.program = qemu.path;
  program.argv = QemuArguments(arguments);
  program.argv.insert(program.argv.begin(), qemu.path);
  program.input = STDIN_FILENO;
  program.output = STDOUT_FILENO;
  program.errors = STDERR_FILENO;
  program.foreground = true;
  program.user = QemuUser();
  for (const int fd : {kernel.Get(), initramfs.Get(), disk.Get()}) {
    if (fd >= 0) program.inherited.push_back(fd);
  }
  const TerminalState restored_at_the_end;
  KASSAY_TRY(ChildProcess process, ChildProcess::Start(program));
  while (!Interrupted()) {
    const auto status = process.Wait(std::chrono::milliseconds(200));
    if (!status) continue;
    if (*status == 0) return {};
    return Fail("QEMU " + DescribeWaitStatus(*status));
  }
  return Fail(Interruption());
}

}  // namespace kassay
