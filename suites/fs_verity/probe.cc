// Whether the kernel has a feature, by what the kernel does with a file.
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "suites/fs_verity/bpf_listener.h"
#include "suites/fs_verity/on_medium.h"
#include "suites/support/trust/fixture.h"
#include "suites/support/trust/keyring.h"

namespace kassay::verity {
namespace {

std::string Told(const std::string& call, long result) {
  return call + ": " + (result < 0 ? ErrnoName(static_cast<int>(-result)) : std::to_string(result));
}

// A verity file on a medium of its own; whatever is not there is told by `problem`.
struct Sample {
  std::unique_ptr<Medium> medium;
  std::string path;
  std::string problem;
  long enabled = -1;

  explicit Sample(Kind kind) {
    auto mounted = Medium::Mount(kind);
    if (!mounted) {
      problem = mounted.error().message;
      return;
    }
    medium = std::move(*mounted);
    path = medium->Path("sample");
    MakeFile(path, "sample");
    enabled = Enable(path);
  }
};

KASSAY_PROBE("fs_verity") {
  const Sample sample(Kind::kExt4);
  if (!sample.problem.empty()) return Unknown(sample.problem);
  MakeFile(sample.medium->Path("plain"), "plain");
  const long seen = Measure(sample.medium->Path("plain")).error;
  const std::string told = Told("FS_IOC_MEASURE_VERITY of a plain file", seen);
  return seen == -ENODATA ? Present(told) : Missing(told);
}

KASSAY_PROBE("fs_verity_xflag") {
  const Sample sample(Kind::kExt4);
  if (!sample.problem.empty()) return Unknown(sample.problem);
  fsxattr attr{};
  const long seen = GetXattr(sample.path, &attr);
  if (sample.enabled != 0 || seen != 0)
    return Missing(Told("FS_IOC_ENABLE_VERITY", sample.enabled) + ", " +
                   Told("FS_IOC_FSGETXATTR", seen));
  return (attr.fsx_xflags & kXflagVerity) != 0
             ? Present("FS_IOC_FSGETXATTR of a verity file: FS_XFLAG_VERITY is set")
             : Missing("FS_IOC_FSGETXATTR of a verity file: FS_XFLAG_VERITY is clear");
}

KASSAY_PROBE("file_attr_calls") {
  FileAttr attr;
  const long seen = FileGetattr(AT_FDCWD, "/", &attr, sizeof attr - 1, 0);
  const std::string told = Told("file_getattr(\"/\", size 23)", seen);
  return seen == -EINVAL ? Present(told) : Missing(told);
}

KASSAY_PROBE("fs_verity_builtin_signatures") {
  const auto ring = trust::SystemKeyring(".fs-verity");
  return ring ? Present("/proc/keys has .fs-verity") : Missing("/proc/keys has no .fs-verity");
}

KASSAY_PROBE("fs_verity_mldsa") {
  const trust::Serial key = trust::AddCertificate(trust::FixtureCertificate("verity-mldsa65"));
  const std::string told = Told("add_key(self-signed ML-DSA-65 certificate)", key);
  if (!trust::SystemKeyring(".fs-verity")) return Missing("/proc/keys has no .fs-verity");
  return key > 0 ? Present("add_key(self-signed ML-DSA-65 certificate): a key") : Missing(told);
}

KASSAY_PROBE("fs_verity_btrfs") {
  if (!KernelHas(Kind::kBtrfs)) return Missing("/proc/filesystems has no btrfs");
  const Sample sample(Kind::kBtrfs);
  if (!sample.problem.empty()) return Unknown(sample.problem);
  const std::string told = Told("FS_IOC_ENABLE_VERITY on btrfs", sample.enabled);
  return sample.enabled == 0 ? Present(told) : Missing(told);
}

KASSAY_PROBE("fs_verity_bpf") {
  const std::string why = WhyNoBpfModule();
  return why.empty()
             ? Present("the kernel has bpf_get_fsverity_digest for programs of the module bpf")
             : Missing(why);
}

KASSAY_PROBE("fs_verity_overlay") {
  const int context = static_cast<int>(syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC));
  if (context < 0) return Missing(Told("fsopen(\"overlay\")", -errno));
  const UniqueFd overlay(context);
  const long seen = syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "verity", "require", 0);
  const std::string told = Told("fsconfig(verity=require)", seen < 0 ? -errno : seen);
  return seen == 0 ? Present(told) : Missing(told);
}

}  // namespace
}  // namespace kassay::verity
