// Which QEMU, and whether by KVM or by emulation.
#include <unistd.h>

#include <fmt/format.h>

#include <cstdlib>
#include <mutex>

#include "harness/base/find_program.h"
#include "harness/base/process/program.h"
#include "harness/vm/boot.h"
#include "harness/vm/kvm.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

std::string FirstLineOf(const std::string& text) { return text.substr(0, text.find('\n')); }

Result<fs::path> QemuPath(const VmOptions& options, const Architecture& architecture) {
  fs::path named = options.qemu;
  const char* variable = std::getenv("KASSAY_QEMU");  // NOLINT(concurrency-mt-unsafe)
  if (named.empty() && variable != nullptr) named = variable;
  if (!named.empty()) {
    if (::access(named.c_str(), X_OK) == 0) return named;
    return FailErrno("cannot use QEMU at " + named.string());
  }
  if (fs::path found = FindProgram(std::string(architecture.qemu)); !found.empty()) return found;
  return Fail(fmt::format("there is no {}: apt-get install {}", architecture.qemu,
                          architecture.qemu_package));
}

}  // namespace

Result<QemuBinary> FindQemu(const VmOptions& options, const Architecture& architecture) {
  static std::mutex mutex;
  static QemuBinary known;
  KASSAY_TRY(const fs::path path, QemuPath(options, architecture));
  const std::lock_guard lock(mutex);
  if (known.path == path) return known;
  KASSAY_TRY(const ProgramOutcome said,
             RunProgram({.argv = {path, "--version"}}, {.time = std::chrono::seconds(20)}));
  if (!said.ending.Succeeded()) return Fail(path.string() + " --version " + said.ending.Words());
  const std::string first = FirstLineOf(said.standard_output);
  const std::size_t at = first.find("version ");
  if (at == std::string::npos) return Fail(path.string() + " is no QEMU");
  known = {path, first.substr(at + 8)};
  return known;
}

Result<BootPlan> PlanBoot(const MachineSpec& spec, const VmOptions& options) {
  BootPlan plan;
  plan.spec = &spec;
  plan.limit = options.boot_limit;
  plan.cpu = options.cpu.empty() ? spec.profile.cpu : options.cpu;
  KASSAY_TRY(plan.boot, BootModeFor(spec.kernel, spec.profile, options));
  KASSAY_TRY(plan.qemu, FindQemu(options, *spec.kernel.architecture));
  KASSAY_TRY(const bool uefi, BootsThroughUefi(spec.kernel, spec.profile, options));
  if (uefi) {
    KASSAY_TRY(plan.uefi, PlanUefi(spec));
  } else if (!spec.profile.firmware.empty()) {
    Note(options, fmt::format("profile {}: without UEFI, since {}", spec.profile.name,
                              options.boot == "direct"
                                  ? "a direct boot was asked for"
                                  : "the kernel's image has no EFI stub (CONFIG_EFI_STUB)"));
  }
  if (options.accelerator == Accelerator::kTcg) {
    plan.why_slow = "emulation was asked for";
    return plan;
  }
  static std::mutex one_proof_at_a_time;
  const std::lock_guard lock(one_proof_at_a_time);
  KASSAY_TRY(const std::string reason, WhyNoKvm(plan, options));
  if (options.accelerator == Accelerator::kKvm && !reason.empty())
    return Fail("KVM does not work here (" + reason + "); use --accel tcg");
  plan.accelerator = reason.empty() ? Accelerator::kKvm : Accelerator::kTcg;
  if (!reason.empty()) plan.why_slow = "KVM does not work here: " + reason;
  return plan;
}

}  // namespace kassay
