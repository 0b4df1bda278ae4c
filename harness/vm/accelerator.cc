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
#include "harness/base/sha256.h"
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

// Output of `QEMU --version`.
Result<std::string> AskVersion(const fs::path& qemu) {
  KASSAY_TRY(const ProgramOutcome said,
             RunProgram({.argv = {qemu, "--version"}}, {.time = std::chrono::seconds(20)}));
  if (!said.ending.Succeeded()) return Fail(qemu.string() + " --version " + said.ending.Words());
  const std::string first = FirstLineOf(said.standard_output);
  const std::size_t at = first.find("version ");
  if (at == std::string::npos) return Fail(qemu.string() + " is no QEMU");
  return first.substr(at + 8);
}

std::string HostBootId() {
  const auto id = ReadFile("/proc/sys/kernel/random/boot_id", 128);
  return id ? FirstLineOf(*id) : "unknown";
}

// The remembered answer. That KVM works holds for every kernel; that a kernel did not come up under
// it, booted one way, may be that kernel's fault.
class KvmMemory {
 public:
  // In `cache_dir`; without one nothing is remembered.
  KvmMemory(const fs::path& cache_dir, const QemuBinary& qemu, std::string kernel)
      : path_(cache_dir.empty() ? cache_dir : cache_dir / "kvm.json"),
        key_(HostBootId() + " " + qemu.version + " uid " + std::to_string(::geteuid())),
        kernel_(std::move(kernel)) {}

  // Why it does not work, empty if it does; nothing if it is not known.
  [[nodiscard]] std::optional<std::string> Recall() const {
    const Json json = Load();
    if (json.value("works", false)) return std::string();
    const auto fails = json.find("fails");
    if (fails == json.end() || !fails->is_object()) return std::nullopt;
    const auto reason = fails->find(kernel_);
    if (reason == fails->end() || !reason->is_string()) return std::nullopt;
    return reason->get<std::string>();
  }
  void Remember(const std::string& reason) const {
    Json json = Load();
    json["key"] = key_;
    json["works"] = reason.empty();
    if (!reason.empty()) json["fails"][kernel_] = reason;
    // Forgotten is only slower.
    static_cast<void>(WriteFileAtomically(path_, json.dump(1) + "\n").has_value());
  }

 private:
  // An empty object if there is none, or one of another boot of the host.
  [[nodiscard]] Json Load() const {
    const auto text = ReadFile(path_, 65536);
    const Json json = text ? Json::parse(*text, nullptr, false) : Json();
    if (!json.is_object() || !json.contains("key") || json["key"] != key_ ||
        !json.contains("works") || !json["works"].is_boolean())
      return Json::object();
    return json;
  }
  fs::path path_;
  std::string key_;
  std::string kernel_;  // the image and how it boots
};

// Empty if it works; an Error only for Ctrl-C and for a kernel that cannot be given to QEMU this
// way, which says nothing of KVM.
Result<std::string> ProveKvm(const MachineSpec& spec, BootMode boot, const QemuBinary& qemu) {
  KASSAY_CHECK(KernelFor(spec, boot));
  BootPlan plan;
  plan.spec = &spec;
  plan.qemu = qemu;
  plan.accelerator = Accelerator::kKvm;
  plan.boot = boot;
  plan.limit = kProofLimit;
  const auto booted = AttemptBoot(plan);
  if (booted) return std::string();
  const BootFailure& failure = booted.error();
  if (failure.kind == BootFailure::Kind::kInterrupted) return Fail(failure.error);
  return FirstLineOf(failure.error.message);
}

}  // namespace

Result<QemuBinary> FindQemu(const VmOptions& options, const Architecture& architecture) {
  static std::mutex mutex;
  static QemuBinary known;
  KASSAY_TRY(const fs::path path, QemuPath(options, architecture));
  const std::lock_guard lock(mutex);
  if (known.path == path) return known;
  KASSAY_TRY(std::string version, AskVersion(path));
  known = {path, std::move(version)};
  return known;
}

Result<AcceleratorChoice> ChooseAccelerator(const MachineSpec& spec, const VmOptions& options) {
  KASSAY_TRY(const BootMode boot, BootModeFor(spec.kernel, spec.profile, options));
  if (options.accelerator == Accelerator::kTcg)
    return AcceleratorChoice{Accelerator::kTcg, "emulation was asked for"};
  static std::mutex one_proof_at_a_time;
  const std::lock_guard lock(one_proof_at_a_time);
  KASSAY_TRY(const QemuBinary qemu, FindQemu(options, *spec.kernel.architecture));
  const KvmMemory memory(options.cache_dir, qemu,
                         spec.kernel.identity.image_sha256 + " " + Name(boot));
  std::string reason;
  if (::access("/dev/kvm", F_OK) != 0) {
    reason = "there is no /dev/kvm";
  } else if (const auto remembered = memory.Recall()) {
    reason = *remembered;
  } else {
    KASSAY_TRY(reason, ProveKvm(spec, boot, qemu));
    memory.Remember(reason);
  }
  if (reason.empty()) return AcceleratorChoice{Accelerator::kKvm, ""};
  if (options.accelerator == Accelerator::kKvm)
    return Fail("KVM does not work here (" + reason + "); use --accel tcg");
  return AcceleratorChoice{Accelerator::kTcg, "KVM does not work here: " + reason};
}

}  // namespace kassay
