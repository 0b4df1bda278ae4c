// Which QEMU, and whether its KVM works: proven by a boot, because a /dev/kvm that opens and
// creates a machine may still be unable to run a kernel.
#include <unistd.h>

#include <fmt/format.h>

#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/find_program.h"
#include "harness/base/process/program.h"
#include "harness/vm/boot.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;
constexpr std::chrono::seconds kProofLimit{30};

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

// What is remembered of KVM since this host booted: {"key", "works", "fails": {KERNEL: REASON}}.
// That it works holds for every kernel; that a kernel did not come up under it, booted one way, may
// be that kernel's fault. An object with the key alone if nothing is, or if it was another boot or
// QEMU.
Json RecallKvm(const fs::path& file, const QemuBinary& qemu) {
  const auto boot_id = ReadFile("/proc/sys/kernel/random/boot_id", 128);
  const std::string key = (boot_id ? FirstLineOf(*boot_id) : "unknown") + " " + qemu.version +
                          " uid " + std::to_string(::geteuid());
  const auto text = ReadFile(file, 65536);
  Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (TextOf(json, "key") == key && json.contains("works") && json["works"].is_boolean())
    return json;
  return Json::object({{"key", key}});
}

// Empty if it works; an Error only for Ctrl-C and for a kernel that cannot be given to QEMU this
// way, which says nothing of KVM.
Result<std::string> ProveKvm(BootPlan plan) {
  KASSAY_CHECK(KernelFor(*plan.spec, plan.boot));
  plan.accelerator = Accelerator::kKvm;
  plan.limit = kProofLimit;
  const auto booted = AttemptBoot(plan);
  if (booted) return std::string();
  const BootFailure& failure = booted.error();
  if (failure.kind == BootFailure::Kind::kInterrupted) return Fail(failure.error);
  return FirstLineOf(failure.error.message);
}

// The same, from memory if there is one. Without `cache_dir` nothing is remembered.
Result<std::string> WhyNoKvm(const BootPlan& plan, const fs::path& cache_dir) {
  if (::access("/dev/kvm", F_OK) != 0) return std::string("there is no /dev/kvm");
  const fs::path file = cache_dir.empty() ? cache_dir : cache_dir / "kvm.json";
  Json known = RecallKvm(file, plan.qemu);
  if (known.value("works", false)) return std::string();
  const std::string kernel = plan.spec->kernel.identity.image_sha256 + " " + Name(plan.boot);
  std::string reason = TextOf(known.value("fails", Json()), kernel.c_str());
  if (!reason.empty()) return reason;
  KASSAY_TRY(reason, ProveKvm(plan));
  known["works"] = reason.empty();
  if (!reason.empty()) known["fails"][kernel] = reason;
  // Forgotten is only slower.
  static_cast<void>(WriteFileAtomically(file, known.dump(1) + "\n").has_value());
  return reason;
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
  KASSAY_TRY(plan.boot, BootModeFor(spec.kernel, spec.profile, options));
  KASSAY_TRY(plan.qemu, FindQemu(options, *spec.kernel.architecture));
  if (options.accelerator == Accelerator::kTcg) {
    plan.why_slow = "emulation was asked for";
    return plan;
  }
  static std::mutex one_proof_at_a_time;
  const std::lock_guard lock(one_proof_at_a_time);
  KASSAY_TRY(const std::string reason, WhyNoKvm(plan, options.cache_dir));
  if (options.accelerator == Accelerator::kKvm && !reason.empty())
    return Fail("KVM does not work here (" + reason + "); use --accel tcg");
  plan.accelerator = reason.empty() ? Accelerator::kKvm : Accelerator::kTcg;
  if (!reason.empty()) plan.why_slow = "KVM does not work here: " + reason;
  return plan;
}

}  // namespace kassay
