#include "harness/vm/boot.h"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cstring>

#include "harness/base/file.h"
#include "harness/kernel/image_header.h"
#include "harness/vm/direct_image.h"
#include "harness/vm/memory_file.h"

namespace kassay {
namespace {

// A CPU of QEMU's TCG may still execute the breakpoint that the kernel wrote for the time of
// patching its code (arch/x86/kernel/alternative.c:smp_text_poke_batch_finish) when the kernel has
// taken its handler away, since the barrier that the kernel sends does not discard translated code
// at once.
std::string StrayBreakpoint(const BootFailure& failure) {
  if (failure.kind == BootFailure::Kind::kBadAgent ||
      failure.console.find("Oops: int3") == std::string::npos)
    return {};
  return "died of a stray int3 while it booted, which QEMU's emulation brings about when the "
         "kernel "
         "patches its code";
}

// On a starved host the timer's interrupts come later than the kernel waits for them
// (arch/x86/kernel/apic/io_apic.c:timer_irq_works).
std::string LateTimer(const BootFailure& failure) {
  if (failure.console.find("IO-APIC + timer doesn't work") == std::string::npos) return {};
  return "died of a timer whose interrupts a busy host had delayed";
}

// On a starved host the kernel measures its time stamp counter against timers that come late, takes
// it for slower than it is, and its clock runs ahead from then on
// (arch/x86/kernel/tsc.c:pit_hpet_ptimer_calibrate_cpu). A snapshot would keep that.
std::string ClockAhead(const BootedMachine& booted) {
  const double guest = static_cast<double>(booted.hello.uptime_ms) / 1000;
  const double host = static_cast<double>(booted.facts.boot_time.count()) / 1000;
  if (guest <= 1.25 * host + 1) return {};
  return fmt::format("its clock runs ahead ({:.0f} s in {:.0f} s), measured wrong on a busy host",
                     guest, host);
}

// What emulation alone can do to a boot, as words for a note; empty if it did nothing.
std::string EmulatorsSlip(const BootPlan& plan, const BootResult<BootedMachine>& booted) {
  if (plan.accelerator != Accelerator::kTcg) return {};
  if (booted) return ClockAhead(*booted);
  const std::string breakpoint = StrayBreakpoint(booted.error());
  return breakpoint.empty() ? LateTimer(booted.error()) : breakpoint;
}

// What the guest could not do when it booted, as notes for a person.
void NoteTroubles(const MachineSpec& spec, const protocol::Hello& hello, const VmOptions& options) {
  const std::string who = NameOf(spec.kernel.identity) + ", profile " + spec.profile.name + ": ";
  for (const auto& [path, error] : hello.module_failures) {
    Note(options, fmt::format("{}the guest could not load {}: {}", who, path,
                              std::strerror(error)));  // NOLINT(concurrency-mt-unsafe)
  }
  for (const std::string& trouble : hello.troubles) Note(options, who + trouble);
}

// All zeros again, as a machine finds its memory.
Status Blank(int memory, const Profile& profile) {
  if (memory < 0) return {};
  const auto size = static_cast<off_t>(profile.memory_mib) << 20;
  // What was reserved stays so, where the file system can do it.
  if (::fallocate(memory, FALLOC_FL_ZERO_RANGE, 0, size) == 0) return {};
  if (::ftruncate(memory, 0) != 0 || ::ftruncate(memory, size) != 0)
    return FailErrno("cannot blank the machine's memory");
  return {};
}

Status Allowed(const Kernel& kernel, ImageKind kind, BootMode boot) {
  if (boot == BootMode::kDirect || kind == kernel.architecture->shipped) return {};
  return Fail(kernel.image.string() +
                  " is a vmlinux, which does not boot through the firmware: give the bzImage that "
                  "holds it",
              ErrorKind::kUsage);
}

}  // namespace

Status CheckBootPath(const Kernel& kernel, BootMode boot) {
  KASSAY_TRY(const ImageKind kind, ReadImageKind(kernel.image));
  return Allowed(kernel, kind, boot);
}

Status CheckBootPath(const Kernel& kernel, std::string_view head, BootMode boot) {
  const auto kind = ParseImageKind(head);
  if (!kind) return Fail(kind.error().Within(kernel.image.string()));
  return Allowed(kernel, *kind, boot);
}

Result<BootMode> BootModeFor(const Kernel& kernel, const Profile& profile,
                             const VmOptions& options) {
  std::string asked = options.boot.empty() ? profile.boot : options.boot;
  if (options.boot.empty() && !profile.firmware.empty()) {
    KASSAY_TRY(const bool uefi, BootsThroughUefi(kernel, profile, options));
    if (!uefi) asked = Name(BootMode::kDirect);
  }
  KASSAY_TRY(const BootMode boot, ParseBootMode(asked));
  const Status status = CheckBootPath(kernel, boot);
  if (status) return boot;
  Error error = status.error();
  if (error.kind == ErrorKind::kUsage) error.message += ", or use --boot direct";
  return Fail(error);
}

Result<UniqueFd> KernelFor(const MachineSpec& spec, BootMode boot) {
  constexpr std::size_t kMost = std::size_t{512} << 20;
  KASSAY_TRY(const std::string image, ReadFile(spec.kernel.image, kMost));
  if (boot == BootMode::kBzImage) {
    // The bytes that are booted, and not only the file that was looked at earlier.
    KASSAY_CHECK(CheckBootPath(spec.kernel, image, boot));
    return SealedFile("kassay-kernel", image);
  }
  auto direct = ExtractDirectImage(image);
  if (!direct)
    return Fail(direct.error().Within("cannot boot " + spec.kernel.image.string() + " directly"));
  return SealedFile("kassay-kernel", *direct);
}

Result<UniqueFd> BlankDisk(const Profile& profile) {
  if (profile.disk_mib <= 0) return UniqueFd();
  return BlankFile("kassay-disk", static_cast<std::uint64_t>(profile.disk_mib) << 20);
}

MachineArguments ArgumentsOf(const BootPlan& plan) {
  MachineArguments arguments;
  arguments.architecture = plan.spec->kernel.architecture;
  arguments.profile = &plan.spec->profile;
  arguments.accelerator = plan.accelerator;
  arguments.cpu = plan.cpu;
  arguments.kernel_command_line =
      KernelCommandLine(*arguments.architecture, *arguments.profile, plan.boot);
  if (plan.uefi) arguments.kernel_command_line.insert(0, kUefiCommandLine);
  return arguments;
}

Result<BootFiles> OpenBootFiles(const BootPlan& plan, MachineArguments& arguments) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  MachineFds& fds = arguments.fds;
  BootFiles files;
  KASSAY_TRY(files.disk, BlankDisk(plan.spec->profile));
  if (plan.uefi) {
    KASSAY_TRY(files.uefi, OpenUefiFiles(*plan.uefi, *plan.spec, arguments.kernel_command_line));
    fds.firmware_code = plan.uefi->code.Get();
    fds.firmware_variables = files.uefi.variables.Get();
    fds.boot_disk = files.uefi.boot_disk.Get();
    fds.disk = files.disk.Get();
    return files;
  }
  KASSAY_TRY(files.kernel, KernelFor(*plan.spec, plan.boot));
  KASSAY_TRY(const std::string initramfs, ReadFile(plan.spec->initramfs.path, kMost));
  KASSAY_TRY(files.initramfs, SealedFile("kassay-initramfs", initramfs));
  fds.kernel = files.kernel.Get();
  fds.initramfs = files.initramfs.Get();
  fds.disk = files.disk.Get();
  return files;
}

BootResult<BootedMachine> AttemptBoot(const BootPlan& plan) {
  const auto start = std::chrono::steady_clock::now();
  MachineArguments arguments = ArgumentsOf(plan);
  arguments.fds.memory = plan.memory;
  KASSAY_TRY(const BootFiles files, OpenBootFiles(plan, arguments));
  BootedMachine booted;
  KASSAY_TRY(booted.guest, LiveMachine::Start(plan.qemu.path, arguments));
  auto hello = booted.guest->WaitForHello(plan.limit);
  if (!hello) return tl::unexpected(std::move(hello).error());
  booted.hello = *std::move(hello);
  booted.facts = {plan.qemu.version,
                  Name(plan.accelerator),
                  plan.why_slow,
                  plan.cpu,
                  Name(plan.boot),
                  arguments.kernel_command_line,
                  std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::steady_clock::now() - start)};
  if (plan.uefi) booted.facts.firmware = plan.uefi->record;
  return booted;
}

Result<BootedMachine> BootOrExplain(const BootPlan& plan, const VmOptions& options) {
  const std::string kernel = NameOf(plan.spec->kernel.identity);
  for (int again = 2;; --again) {
    auto booted = AttemptBoot(plan);
    const std::string slip = EmulatorsSlip(plan, booted);
    if (booted && slip.empty()) {
      NoteTroubles(*plan.spec, booted->hello, options);
      return *std::move(booted);
    }
    if (again == 0 || slip.empty()) {
      const Error error =
          booted ? Error{slip + "; try again on a quieter machine"} : booted.error().error;
      if (!booted && booted.error().kind == BootFailure::Kind::kInterrupted) return Fail(error);
      Error why = error.Within(fmt::format("{} does not boot ({}, {})", kernel, Name(plan.boot),
                                           Name(plan.accelerator)));
      if (!booted && booted.error().IsTheKernels()) why.kind = ErrorKind::kNoBoot;
      return Fail(why);
    }
    Note(options,
         fmt::format("{}, profile {}: {}; booted again", kernel, plan.spec->profile.name, slip));
    if (booted) booted->guest.reset();  // gone before its memory is used again
    KASSAY_CHECK(Blank(plan.memory, plan.spec->profile));
  }
}

Result<BootedMachine> BootFresh(const MachineSpec& spec, const VmOptions& options) {
  KASSAY_TRY(const BootPlan plan, PlanBoot(spec, options));
  return BootOrExplain(plan, options);
}

}  // namespace kassay
