#include "suites/module_signature/loading.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "harness/base/unique_fd.h"
#include "suites/support/kernel_config.h"
#include "suites/support/trust/built_in.h"
#include "suites/support/trust/signer.h"

namespace kassay::modules {
namespace {

std::string Slurp(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string ProcModulesLine() {
  std::ifstream modules("/proc/modules");
  for (std::string line; std::getline(modules, line);) {
    if (line.starts_with(std::string(kModuleName) + " ")) return line;
  }
  return {};
}

long ErrorUnder(Policy policy, Outcome outcome) {
  const long loaded = outcome.is_module ? 0 : -ENOEXEC;
  switch (outcome.kind) {
    case Outcome::Kind::kTrusted:
      return loaded;
    case Outcome::Kind::kUntrusted:
      return policy == Policy::kOpen       ? loaded
             : policy == Policy::kEnforced ? -EKEYREJECTED
                                           : -EPERM;
    case Outcome::Kind::kRefused:
      break;
  }
  return -outcome.error;
}

// Looks at what one attempt left, and takes it away.
void ExpectTraces(long result, Outcome outcome, unsigned long taint_before, const std::string& what,
                  const std::string& letters) {
  const unsigned long taint_after = KernelTaint();
  if (result != 0) {
    EXPECT_FALSE(IsLoaded()) << what << ": refused, and yet it is there";
    EXPECT_EQ(taint_after, taint_before) << what << ": refused, and yet the kernel is tainted";
    return;
  }
  EXPECT_TRUE(IsLoaded()) << what;
  if (outcome.kind == Outcome::Kind::kUntrusted) {
    EXPECT_EQ(ModuleTaint(), letters) << what;
    EXPECT_EQ(Slurp(std::string("/sys/module/") + kModuleName + "/taint"), letters + "\n") << what;
    EXPECT_EQ(taint_after & kTaintUnsigned, kTaintUnsigned) << what << ": no taint E";
  } else {
    EXPECT_EQ(ModuleTaint(), "") << what;
    EXPECT_EQ(taint_after, taint_before) << what;
  }
  Unload();
  EXPECT_FALSE(IsLoaded()) << what;
  EXPECT_EQ(KernelTaint(), taint_after) << what << ": the taint stays when the module goes";
}

std::string WhyNot(Policy policy) {
  const bool enforced = Slurp("/sys/module/module/parameters/sig_enforce").starts_with("Y");
  const bool locked = Slurp("/sys/kernel/security/lockdown").find("[none]") == std::string::npos &&
                      !Slurp("/sys/kernel/security/lockdown").empty();
  if (policy == Policy::kOpen && enforced)
    return "this kernel enforces module signatures by itself";
  if (policy == Policy::kOpen && locked) return "this kernel is locked down by itself";
  if (policy == Policy::kEnforced && !enforced)
    return "the VM was booted without module.sig_enforce=1";
  if (policy == Policy::kLockedDown && !locked) return "the VM was booted without lockdown";
  if (policy == Policy::kLockedDown && enforced)
    return "this kernel enforces module signatures by itself";
  if (VendorsModule().empty()) return std::string("no module ") + kModuleName + " in the image";
  if (!Split(VendorsModule())) return std::string(kModuleName) + " is not signed by its vendor";
  if (IsLoaded()) return std::string(kModuleName) + " is already loaded";
  return {};
}

}  // namespace

long Load(std::string_view file, int flags) {
  char path[] = "/tmp/module-XXXXXX";
  {
    const UniqueFd writing(mkstemp(path));
    if (!writing.IsOpen() ||
        write(writing.Get(), file.data(), file.size()) != static_cast<ssize_t>(file.size()))
      return -EIO;
  }
  // A file that is open for writing would be refused (ETXTBSY).
  const UniqueFd reading(
      open(path, O_RDONLY | O_CLOEXEC));  // NOLINT(cppcoreguidelines-pro-type-vararg)
  unlink(path);
  const long result = syscall(SYS_finit_module, reading.Get(), "", flags);
  return result < 0 ? -errno : result;
}

long LoadFromMemory(std::string_view file) {
  const long result = syscall(SYS_init_module, file.data(), file.size(), "");
  return result < 0 ? -errno : result;
}

bool IsLoaded() { return !ProcModulesLine().empty(); }

void Unload() { syscall(SYS_delete_module, kModuleName, O_NONBLOCK); }

std::string ModuleTaint() {
  const std::string line = ProcModulesLine();
  const std::size_t open = line.rfind('(');
  const std::size_t close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  return line.substr(open + 1, close - open - 1);
}

unsigned long KernelTaint() { return std::stoul("0" + Slurp("/proc/sys/kernel/tainted")); }

void ExpectLoad(Policy policy, std::string_view file, Outcome outcome, const std::string& what) {
  ExpectLoadWithFlags(policy, file, 0, outcome, what);
  const unsigned long before = KernelTaint();
  const long from_memory = LoadFromMemory(file);
  EXPECT_THAT(from_memory, IsErrno(static_cast<int>(-ErrorUnder(policy, outcome))))
      << what << ", init_module";
  ExpectTraces(from_memory, outcome, before, what + ", init_module", "E");
}

void ExpectLoadWithFlags(Policy policy, std::string_view file, int flags, Outcome outcome,
                         const std::string& what, const std::string& taint_letters) {
  const unsigned long before = KernelTaint();
  const long result = Load(file, flags);
  EXPECT_THAT(result, IsErrno(static_cast<int>(-ErrorUnder(policy, outcome)))) << what;
  ExpectTraces(result, outcome, before, what, taint_letters);
}

void RequirePolicy(Policy policy) {
  if (policy == Policy::kLockedDown) RequireOption("CONFIG_SECURITY_LOCKDOWN_LSM");
  if (const std::string why = WhyNot(policy); !why.empty()) KASSAY_UNMET(why);
}

// Over a body that is no module, so that nothing is left behind.
static bool AsksPlatformKeyring(Policy policy, std::string_view certificate) {
  const trust::Signer signer{std::string(certificate)};
  const std::string body(1000, 'j');
  const auto load = [&](std::string_view signed_text) {
    return Load(WithSignature(body, signer.Over(signed_text, trust::kSha256).Der()).Bytes());
  };
  // Where signatures are not needed, a key that is not found does no harm, and one that is found
  // gives a wrong signature away.
  if (policy == Policy::kOpen) return load("another text") == -EKEYREJECTED;
  return load(body) == -ENOEXEC;
}

void RequireTrusted(Policy policy, std::string_view certificate) {
  trust::RequireTrusted(certificate, "modules",
                        [&] { return AsksPlatformKeyring(policy, certificate); });
}

const SignedModule& Vendors() {
  static const SignedModule module = *Split(VendorsModule());
  return module;
}

MlDsaSupport SeenMlDsaSupport() {
  using namespace trust;  // NOLINT(google-build-using-namespace)
  const MlDsaKey key(MlDsaSet::k65, std::string(32, 'k'));
  const Serial serial = AddCertificate(Wrap(MlDsaSet::k65, key.public_key()).Der());
  if (serial == -ENOPKG) return MlDsaSupport::kNone;
  return Query(serial, "hash=none").error == 0 ? MlDsaSupport::kFull : MlDsaSupport::kNamesOnly;
}

}  // namespace kassay::modules
