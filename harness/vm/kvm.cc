#include "harness/vm/kvm.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "harness/base/file.h"
#include "harness/base/process/program.h"
#include "harness/vm/qemu_user.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;
constexpr std::chrono::seconds kProofLimit{30};

std::string FirstLineOf(const std::string& text) { return text.substr(0, text.find('\n')); }

UserIdentity WhoQemuIs() {
  if (const std::optional<UserIdentity> user = QemuUser()) return *user;
  UserIdentity own{::geteuid(), ::getegid(), {}};
  own.groups.resize(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(own.groups.size()), own.groups.data());
  own.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return own;
}

std::string GroupName(gid_t gid) {
  std::array<char, 4096> buffer;
  group entry{};
  group* found = nullptr;
  return ::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr
             ? found->gr_name
             : std::to_string(gid);
}

// All that the answer depends on.
Json SurroundingsOf(const QemuBinary& qemu, const fs::path& device) {
  const auto boot_id = ReadFile("/proc/sys/kernel/random/boot_id", 128);
  struct stat binary {};
  static_cast<void>(::stat(qemu.path.c_str(), &binary));
  const UserIdentity user = WhoQemuIs();
  return {boot_id ? FirstLineOf(*boot_id) : "unknown",
          KvmDeviceFacts(device),
          {qemu.path.string(), qemu.version, binary.st_size, binary.st_mtim.tv_sec},
          {user.uid, user.gid, user.groups}};
}

// What is remembered: {"surroundings", "works": {CPU MODEL: whether}, "fails": {KERNEL: REASON}}.
// That it works holds for every kernel; that a kernel did not come up under it, booted one way, may
// be that kernel's fault. An object with the surroundings alone if nothing is, or if they were
// others.
Json Recall(const fs::path& file, const Json& surroundings) {
  const auto text = ReadFile(file, 65536);
  Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (json.is_object() && json.value("surroundings", Json()) == surroundings &&
      json.contains("works") && json["works"].is_object())
    return json;
  return {{"surroundings", surroundings}};
}

// QEMU's first words if it cannot open KVM, as the user that it runs as; it starts no machine.
Result<std::string> Refusal(const QemuBinary& qemu) {
  constexpr std::string_view kQuit = "quit\n";
  std::string said;
  KASSAY_TRY(Pipe input, MakePipe());
  std::vector<Stream> streams(1);
  KASSAY_TRY(streams[0], MakeStream([&said](std::string_view bytes) {
               said += bytes;
               return true;
             }));
  if (::write(input.writing.Get(), kQuit.data(), kQuit.size()) != std::ssize(kQuit))
    return FailErrno("cannot write to QEMU");
  input.writing.Reset();
  KASSAY_TRY(
      ChildProcess child,
      ChildProcess::Start({.argv = {qemu.path, "-no-user-config", "-nodefaults", "-display", "none",
                                    "-machine", "none", "-accel", "kvm", "-monitor", "stdio"}},
                          {.input = input.reading.Get(),
                           .errors = streams[0].pipe.writing.Get(),
                           .user = QemuUser()}));
  KASSAY_TRY(const Ending ending, Supervise(child, streams, {.time = kProofLimit}));
  if (ending.Succeeded()) return std::string();
  return said.empty() ? "QEMU " + ending.Words() : FirstLineOf(said);
}

Result<std::string> ProveByBoot(BootPlan plan) {
  KASSAY_CHECK(KernelFor(*plan.spec, plan.boot));
  plan.accelerator = Accelerator::kKvm;
  plan.limit /= 4;  // a KVM that hangs must not cost a whole boot's limit
  const auto booted = AttemptBoot(plan);
  if (booted) return std::string();
  const BootFailure& failure = booted.error();
  if (failure.kind == BootFailure::Kind::kInterrupted) return Fail(failure.error);
  return FirstLineOf(failure.error.message);
}

}  // namespace

std::string KvmDeviceFacts(const fs::path& device) {
  struct stat found {};
  if (::stat(device.c_str(), &found) != 0) return "none";
  // A change of an access control list shows in the time alone.
  return fmt::format("{:x} {} {} {:o} {}.{}", found.st_rdev, found.st_uid, found.st_gid,
                     found.st_mode, found.st_ctim.tv_sec, found.st_ctim.tv_nsec);
}

std::optional<KvmTrouble> KvmTroubleWith(const fs::path& device) {
  struct stat found {};
  if (::stat(device.c_str(), &found) != 0) {
    return KvmTrouble{"there is no " + device.string(),
                      "modprobe kvm_intel || modprobe kvm_amd   (in a virtual machine: switch on "
                      "nested virtualization at its host)"};
  }
  const std::optional<UserIdentity> other = QemuUser();
  const auto in_group = [&](gid_t gid) {
    return gid == other->gid || std::ranges::find(other->groups, gid) != other->groups.end();
  };
  const auto may = [&](mode_t bits) { return (found.st_mode & bits) == bits; };
  const bool opens = other ? may(S_IROTH | S_IWOTH) ||
                                 (may(S_IRGRP | S_IWGRP) && in_group(found.st_gid)) ||
                                 (may(S_IRUSR | S_IWUSR) && found.st_uid == other->uid)
                           : ::access(device.c_str(), R_OK | W_OK) == 0;
  if (opens) return std::nullopt;
  const std::string facts = fmt::format("{} has the mode {:04o} and the group {}", device.string(),
                                        found.st_mode & 07777U, GroupName(found.st_gid));
  if (!other && may(S_IRGRP | S_IWGRP)) {
    return KvmTrouble{
        "this user may not open it: " + facts,
        fmt::format("adduser \"$USER\" {}   (and log in again)", GroupName(found.st_gid))};
  }
  return KvmTrouble{(other ? "QEMU, which root runs as nobody, may not open it: "
                           : "this user may not open it: ") +
                        facts,
                    fmt::format("chgrp kvm {0} && chmod 0660 {0}   (as root)", device.string())};
}

Result<std::string> WhyNoKvm(const BootPlan& plan, const VmOptions& options) {
  if (const auto trouble = KvmTroubleWith(options.kvm_device)) return trouble->what;
  const fs::path file =
      options.cache_dir.empty() ? options.cache_dir : options.cache_dir / "kvm.json";
  const Json surroundings = SurroundingsOf(plan.qemu, options.kvm_device);
  Json known = options.kvm_anew ? Json{{"surroundings", surroundings}} : Recall(file, surroundings);
  const Json models = known.value("works", Json::object());
  const bool worked = models.contains(plan.cpu) && models[plan.cpu] == true;
  const std::string kernel =
      plan.spec->kernel.identity.image_sha256 + " " + Name(plan.boot) + " " + plan.cpu;
  std::string reason = TextOf(known.value("fails", Json()), kernel.c_str());
  if (!worked && !reason.empty()) return reason;
  if (worked) {
    KASSAY_TRY(reason, Refusal(plan.qemu));
    if (reason.empty()) return reason;
    known["works"][plan.cpu] = false;
  } else {
    KASSAY_TRY(reason, ProveByBoot(plan));
    known["works"][plan.cpu] = reason.empty();
    if (!reason.empty()) known["fails"][kernel] = reason;
  }
  // Forgotten is only slower.
  static_cast<void>(WriteFileAtomically(file, known.dump(1) + "\n").has_value());
  return reason;
}

}  // namespace kassay
