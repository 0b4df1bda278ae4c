#include "harness/vm/boot_attempt.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cstring>

#include "harness/base/file.h"
#include "harness/vm/boot_path.h"
#include "harness/vm/direct_image.h"
#include "harness/vm/qemu_user.h"

namespace kassay {
namespace {

Result<UniqueFd> InMemory(const char* name, std::string_view bytes) {
  UniqueFd file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.IsOpen()) return FailErrno("memfd_create");
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.Get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return FailErrno("cannot keep a file in memory");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fcntl(file.Get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) !=
      0)
    return FailErrno("F_ADD_SEALS");
  return file;
}

// What emulation alone can do to a boot, as words for a note; empty if this is none of it.
// * A CPU of QEMU's TCG may still execute the breakpoint that the kernel wrote for the time of
//   patching its code (arch/x86/kernel/alternative.c:smp_text_poke_batch_finish) when the kernel
//   has taken its handler away, since the barrier that the kernel sends does not discard translated
//   code at once.
// * On a starved host the kernel measures its time stamp counter against timers that come late,
// takes
//   it for slower than it is, and its clock runs ahead from then on
//   (arch/x86/kernel/tsc.c:pit_hpet_ptimer_calibrate_cpu). A snapshot would keep that.
std::string EmulatorsSlip(const BootPlan& plan, const Result<BootedMachine>& booted) {
  if (plan.accelerator != Accelerator::kTcg) return {};
  if (!booted) {
    const bool stray = booted.error().message.find("Oops: int3") != std::string::npos;
    return stray ? "died of a stray int3 while it booted, which QEMU's emulation brings about when "
                   "the kernel patches its code"
                 : "";
  }
  const double guest = static_cast<double>(booted->hello.uptime_ms) / 1000;
  const double host = static_cast<double>(booted->facts.boot_time.count()) / 1000;
  return guest > 1.25 * host + 1
             ? fmt::format(
                   "its clock runs ahead ({:.0f} s in {:.0f} s), measured wrong on a busy host",
                   guest, host)
             : "";
}

// All zeros again, as a machine finds its memory.
Status Blank(int memory) {
  if (memory < 0) return {};
  struct stat status {};
  if (::fstat(memory, &status) != 0 || ::ftruncate(memory, 0) != 0 ||
      ::ftruncate(memory, status.st_size) != 0)
    return FailErrno("cannot blank the machine's memory");
  return {};
}

}  // namespace

Result<UniqueFd> KernelFor(const MachineSpec& spec, BootMode boot) {
  constexpr std::size_t kMost = std::size_t{512} << 20;
  KASSAY_TRY(const std::string image, ReadFile(spec.kernel.image, kMost));
  if (boot == BootMode::kBzImage) {
    // The bytes that are booted, and not only the file that was looked at earlier.
    KASSAY_CHECK(CheckBootPath(spec.kernel, image, boot));
    return InMemory("kassay-kernel", image);
  }
  auto direct = ExtractDirectImage(image);
  if (!direct)
    return Fail(direct.error().Within("cannot boot " + spec.kernel.image.string() + " directly"));
  return InMemory("kassay-kernel", *direct);
}

Result<UniqueFd> InitramfsFor(const MachineSpec& spec) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  KASSAY_TRY(const std::string image, ReadFile(spec.initramfs.path, kMost));
  return InMemory("kassay-initramfs", image);
}

Result<UniqueFd> BlankDisk(const Profile& profile) {
  if (profile.disk_mib <= 0) return UniqueFd();
  UniqueFd disk(::memfd_create("kassay-disk", MFD_CLOEXEC));
  if (!disk.IsOpen()) return FailErrno("memfd_create");
  if (::ftruncate(disk.Get(), static_cast<off_t>(profile.disk_mib) << 20) != 0)
    return FailErrno("cannot make a disk");
  KASSAY_CHECK(GiveTo(QemuUser(), disk.Get()));
  return disk;
}

Result<BootedMachine> AttemptBoot(const BootPlan& plan) {
  const auto start = std::chrono::steady_clock::now();
  const MachineSpec& spec = *plan.spec;
  KASSAY_TRY(const UniqueFd kernel, KernelFor(spec, plan.boot));
  KASSAY_TRY(const UniqueFd initramfs, InitramfsFor(spec));
  KASSAY_TRY(const UniqueFd disk, BlankDisk(spec.profile));
  LiveMachine::Setup setup;
  setup.qemu = plan.qemu;
  setup.user = QemuUser();
  MachineArguments& arguments = setup.arguments;
  arguments.profile = &spec.profile;
  arguments.accelerator = plan.accelerator;
  arguments.boot = plan.boot;
  arguments.memory_use = MemoryUse::kShared;
  arguments.kernel_command_line = KernelCommandLine(spec.profile, plan.boot);
  arguments.fds.memory = plan.memory;
  arguments.fds.kernel = kernel.Get();
  arguments.fds.initramfs = initramfs.Get();
  arguments.fds.disk = disk.Get();

  BootedMachine booted;
  KASSAY_TRY(booted.machine, LiveMachine::Start(setup));
  KASSAY_TRY(booted.hello, booted.machine->WaitForHello(plan.limit));
  booted.facts = {plan.qemu.version,
                  plan.accelerator,
                  plan.boot,
                  arguments.kernel_command_line,
                  booted.hello.kernel_release,
                  std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::steady_clock::now() - start)};
  return booted;
}

Result<BootedMachine> BootOrExplain(const BootPlan& plan, const VmOptions& options) {
  auto booted = AttemptBoot(plan);
  std::string slip = EmulatorsSlip(plan, booted);
  for (int again = 0; again < 2 && !slip.empty(); ++again) {
    Note(options, plan.spec->kernel.identity.spec + ", profile " + plan.spec->profile.name + ": " +
                      slip + "; booted again");
    booted = Fail("booted again");  // the machine before is gone before its memory is used again
    KASSAY_CHECK(Blank(plan.memory));
    booted = AttemptBoot(plan);
    slip = EmulatorsSlip(plan, booted);
  }
  if (booted && !slip.empty()) booted = Fail(slip + "; try again on a quieter machine");
  if (booted || booted.error().code == ExitCode::kInterrupted) return booted;
  return Fail(booted.error().Within(plan.spec->kernel.identity.spec + " does not boot (" +
                                    Name(plan.boot) + ", " + Name(plan.accelerator) + ")"));
}

void NoteTroubles(const MachineSpec& spec, const protocol::Hello& hello, const VmOptions& options) {
  const std::string who = spec.kernel.identity.spec + ", profile " + spec.profile.name + ": ";
  for (const auto& [path, error] : hello.module_failures) {
    Note(options, who + "the guest could not load " + path + ": " +
                      std::strerror(error));  // NOLINT(concurrency-mt-unsafe)
  }
  for (const std::string& trouble : hello.troubles) Note(options, who + trouble);
}

}  // namespace kassay
