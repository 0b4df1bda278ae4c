#include "harness/cli/labs.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "harness/host/host_lab.h"
#include "harness/vm/boot.h"
#include "harness/vm/kvm.h"
#include "harness/vm/uefi.h"

namespace kassay::cli {
namespace {

Result<VmLabOptions> MachinesFor(const Kernel& kernel, const Installation& installation,
                                 const MachineFlags& flags) {
  VmLabOptions machines;
  machines.installation = installation;
  machines.kernel = kernel;
  machines.vm.cache_dir = installation.cache_dir;
  KASSAY_TRY(machines.vm.accelerator, ParseAccelerator(flags.accelerator));
  machines.vm.boot = flags.boot;
  machines.vm.cpu = flags.cpu;
  return machines;
}

}  // namespace

Result<VmLabOptions> MachinesOf(const KernelOptions& options, const MachineFlags& flags) {
  KASSAY_TRY(const Kernel kernel, ResolveKernel(options));
  return MachinesFor(kernel, options.installation, flags);
}

std::unique_ptr<Lab> WithThisMachine(const VmLabOptions& machines) {
  return std::make_unique<HostLab>(machines.installation, machines.headers,
                                   std::make_unique<VmLab>(machines));
}

Result<std::string> WhatCarriesMachines() {
  KASSAY_TRY(const QemuBinary qemu, FindQemu({}, kX86_64));
  return fmt::format("QEMU {} ({})", qemu.version, qemu.path.string());
}

Status UefiIsThere() { return FindUefi(kX86_64); }

std::string KvmRemedy() {
  const auto trouble = KvmTroubleWith(VmOptions().kvm_device);
  return trouble ? trouble->remedy : std::string();
}

Status CheckBootsAsShipped(const Kernel& kernel) {
  return CheckBootPath(kernel, BootMode::kBzImage);
}

Result<RunResult> RunOn(const Kernel& kernel, const RunFlags& flags, RunObserver& observer) {
  RunOptions run = flags.run;
  run.installation = flags.kernel.installation;
  run.boot = flags.machine.boot;
  if (!flags.machine.cpu.empty()) run.asked["cpu"] = flags.machine.cpu;
  if (!flags.headers.empty()) KASSAY_CHECK(CheckHeaders(flags.headers, kernel.identity.release));
  KASSAY_TRY(VmLabOptions machines, MachinesFor(kernel, run.installation, flags.machine));
  SuiteImages images = ImagesOf(run);
  machines.suites = std::move(images.suites);
  machines.preparing = std::move(images.preparing);
  machines.vm.boot_limit = std::chrono::seconds(
      std::lround(static_cast<double>(machines.vm.boot_limit.count()) * run.limit_scale));
  machines.headers = std::make_shared<KernelHeaders>([&]() -> Result<std::filesystem::path> {
    if (!flags.headers.empty()) return std::filesystem::path(flags.headers);
    return KernelStore(flags.kernel.store).Headers(flags.kernel.spec);
  });
  return RunKernel(*WithThisMachine(machines), kernel, run, observer);
}

}  // namespace kassay::cli
