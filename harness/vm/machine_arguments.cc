#include "harness/vm/machine_arguments.h"

#include <fmt/format.h>

#include <array>

#include "harness/protocol/frame.h"

namespace kassay {
namespace {

std::string InheritedFile(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

std::string RawFile(const char* node, int fd, const char* more) {
  return fmt::format("driver=raw,node-name={},file.driver=file,file.filename={},file.locking=off{}",
                     node, InheritedFile(fd), more);
}

}  // namespace

Result<Accelerator> ParseAccelerator(const std::string& text) {
  for (const Accelerator each : {Accelerator::kAuto, Accelerator::kKvm, Accelerator::kTcg}) {
    if (text == Name(each)) return each;
  }
  return Fail("'" + text + "' is no accelerator: use auto, kvm or tcg", ErrorKind::kUsage);
}

std::string Name(Accelerator accelerator) {
  constexpr std::array kNames = {"auto", "kvm", "tcg"};
  return kNames.at(static_cast<std::size_t>(accelerator));
}

Result<BootMode> ParseBootMode(const std::string& text) {
  for (const BootMode each : {BootMode::kDirect, BootMode::kBzImage}) {
    if (text == Name(each)) return each;
  }
  return Fail("'" + text + "' is no way to boot: use direct or bzimage", ErrorKind::kUsage);
}

std::string Name(BootMode mode) { return mode == BootMode::kDirect ? "direct" : "bzimage"; }

std::string KernelCommandLine(const Architecture& architecture, const Profile& profile,
                              BootMode boot) {
  // A kernel that panics resets at once, which ends QEMU (-no-reboot); one that hangs before its
  // console is up has said something through earlyprintk.
  std::string line = fmt::format("console={0} earlyprintk={0} panic=-1", architecture.console);
  // A busy host keeps a vCPU waiting for longer than the 21 s after which the kernel takes it for
  // stuck; a case that really hangs meets its own limit.
  if (boot == BootMode::kDirect)
    line += fmt::format(
        " quiet nokaslr mitigations=off cryptomgr.notests {}"
        " damon_stat.enabled=0 rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60",
        architecture.clock_words);
  for (const std::string& word : profile.command_line) line += " " + word;
  return line;
}

std::vector<int> MachineFds::Open() const {
  std::vector<int> open = {qmp,       console, agent, memory,        kernel,
                           initramfs, disk,    state, firmware_code, firmware_variables,
                           boot_disk};
  std::erase_if(open, [](int fd) { return fd < 0; });
  return open;
}

std::vector<std::string> QemuArguments(const MachineArguments& machine) {
  const MachineFds& fds = machine.fds;
  const Profile& profile = *machine.profile;
  std::vector<std::string> arguments = {"-no-user-config", "-nodefaults", "-no-reboot"};
  const auto add = [&arguments](const std::string& option, const std::string& value) {
    arguments.push_back(option);
    arguments.push_back(value);
  };
  add("-display", "none");
  add("-nic", "none");
  add("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
  add("-accel", machine.accelerator == Accelerator::kKvm ? "kvm" : "tcg,thread=multi");
  if (fds.firmware_code < 0) {
    add("-machine", std::string(machine.architecture->qemu_machine));
  } else {
    add("-machine",
        fmt::format("{},pflash0=code,pflash1=variables", machine.architecture->uefi_machine));
    add("-global", std::string(machine.architecture->uefi_global));
    add("-blockdev", RawFile("code", fds.firmware_code, ",read-only=on"));
    add("-blockdev", RawFile("variables", fds.firmware_variables, ""));
    add("-blockdev", RawFile("boot", fds.boot_disk, ",read-only=on"));
    add("-device", "virtio-blk-pci,drive=boot");
  }
  add("-cpu", machine.cpu);
  add("-smp", std::to_string(profile.cpus));
  add("-m", fmt::format("{}M", profile.memory_mib));
  add("-object", fds.memory < 0
                     ? fmt::format("memory-backend-ram,id=ram,size={}M", profile.memory_mib)
                     : fmt::format("memory-backend-file,id=ram,size={}M,mem-path={},share={}",
                                   profile.memory_mib, InheritedFile(fds.memory),
                                   machine.restored ? "off" : "on"));
  add("-chardev", fds.console < 0
                      ? "stdio,id=console,mux=on,signal=off"
                      : fmt::format("file,id=console,path={}", InheritedFile(fds.console)));
  add("-serial", "chardev:console");
  if (fds.qmp >= 0) {
    add("-chardev", fmt::format("socket,id=qmp,fd={}", fds.qmp));
    add("-mon", "chardev=qmp,mode=control");
  }
  if (fds.agent >= 0) {
    add("-device", "virtio-serial-pci,max_ports=2");
    add("-chardev", fmt::format("socket,id=agent,fd={}", fds.agent));
    add("-device", fmt::format("virtserialport,chardev=agent,name={}", protocol::kPortName));
  }
  if (fds.disk >= 0) {
    add("-blockdev", RawFile("disk", fds.disk, ""));
    add("-device", "virtio-blk-pci,drive=disk");
  }
  if (fds.kernel >= 0) {
    add("-kernel", InheritedFile(fds.kernel));
    add("-initrd", InheritedFile(fds.initramfs));
    add("-append", machine.kernel_command_line);
  }
  if (machine.restored) add("-incoming", "defer");
  return arguments;
}

}  // namespace kassay
