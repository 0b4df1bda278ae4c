// A kernel that firmware started with Secure Boot on: vendors lock it down for integrity then,
// which upstream leaves to the command line.
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "harness/base/unique_fd.h"
#include "suites/module_signature/loading.h"
#include "suites/support/trust/signer.h"

namespace kassay::modules {
namespace {

using namespace trust;  // NOLINT(google-build-using-namespace)

constexpr const char* kLockdown = "/sys/kernel/security/lockdown";

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The firmware's own word: the variable SecureBoot of EFI_GLOBAL_VARIABLE (UEFI specification 2.10,
// section 3.3), four bytes of attributes and one of value
// (Documentation/filesystems/efivarfs.rst). Empty if it cannot be had.
std::string SecureBootVariable() {
  constexpr const char* kFolder = "/sys/firmware/efi/efivars";
  const std::string path =
      std::string(kFolder) + "/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
  if (access(path.c_str(), F_OK) != 0) mount("efivarfs", kFolder, "efivarfs", MS_RDONLY, "");
  const std::string variable = Contents(path);
  return variable.size() == 5 ? variable.substr(4) : std::string();
}

class SecureBoot : public testing::Test {
 protected:
  void SetUp() override {
    if (SecureBootVariable() != "\1")
      KASSAY_UNMET("the VM was not booted through UEFI with Secure Boot on");
  }
};

// What refuses a module first. IMA's policy for the architecture switches enforcement on under
// Secure Boot (security/integrity/ima/ima_efi.c:arch_get_ima_policy), and that is asked before
// lockdown.
Policy PolicyUnderSecureBoot() {
  const bool enforced = Contents("/sys/module/module/parameters/sig_enforce").starts_with("Y");
  RecordEvidence("module.sig_enforce", enforced ? "Y" : "N");
  return enforced ? Policy::kEnforced : Policy::kLockedDown;
}

KASSAY_CASE_F(SecureBoot, LocksTheKernelDown, Cites("SIG-042").Profile("uefi_secure_boot")) {
  EXPECT_EQ(Contents(kLockdown), "none [integrity] confidentiality\n");
  const auto ask_for = [](std::string_view level) {
    const UniqueFd file(open(kLockdown, O_WRONLY | O_CLOEXEC));
    const ssize_t put = write(file.Get(), level.data(), level.size());
    return put < 0 ? -errno : 0;
  };
  EXPECT_THAT(ask_for("none"), IsErrno(EPERM));
  EXPECT_THAT(ask_for("integrity"), IsErrno(EPERM)) << "what it has already";
  EXPECT_EQ(Contents(kLockdown), "none [integrity] confidentiality\n");
  EXPECT_THAT(ask_for("confidentiality"), IsErrno(0));
  EXPECT_EQ(Contents(kLockdown), "none integrity [confidentiality]\n");
  EXPECT_THAT(ask_for("integrity"), IsErrno(EPERM));
}

KASSAY_CASE_F(SecureBoot, AnUnsignedModuleIsRefused,
              Cites("SIG-043").Profile("uefi_secure_boot").Timeout(60)) {
  const Policy policy = PolicyUnderSecureBoot();
  RequirePolicy(policy);
  ExpectLoad(policy, Vendors().body, kUntrusted, "stripped");
  const Signer stranger("stranger-rsa");
  const std::string& body = Vendors().body;
  const auto signed_by_stranger = WithSignature(body, stranger.Over(body, kSha256).Der());
  ExpectLoad(policy, signed_by_stranger.Bytes(), kUntrusted, "a stranger's");
  ExpectLoad(policy, Vendors().Bytes(), kTrusted, "as shipped");
}

KASSAY_CASE_F(SecureBoot, EnforcementIsAskedBeforeLockdown,
              Cites("SIG-033").Profile("uefi_secure_boot").Timeout(60)) {
  ASSERT_EQ(Contents(kLockdown).find("[none]"), std::string::npos);
  ASSERT_EQ(Contents("/sys/module/module/parameters/sig_enforce"), "Y\n")
      << "IMA's policy for the architecture did not switch it on";
  RequirePolicy(Policy::kEnforced);
  ExpectLoad(Policy::kEnforced, Vendors().body, kUntrusted, "stripped");
}

KASSAY_CASE_F(SecureBoot, TheVendorsModuleLoads,
              Cites("SIG-044").Profile("uefi_secure_boot").Timeout(60)) {
  const Policy policy = PolicyUnderSecureBoot();
  RequirePolicy(policy);
  ExpectLoad(policy, Vendors().Bytes(), kTrusted, "as shipped");
  SignedModule changed = Vendors();
  changed.body.back() = static_cast<char>(changed.body.back() ^ 1);
  ExpectLoad(policy, changed.Bytes(), Refused(EKEYREJECTED), "changed");
}

KASSAY_CASE_F(SecureBoot, AKeyOfTheFirmwareSignsModules,
              Cites("SIG-045", "SIG-025").Profile("uefi_secure_boot").Timeout(60)) {
  const Policy policy = PolicyUnderSecureBoot();
  RequirePolicy(policy);
  modules::RequireTrusted(policy);
  const Signer signer("trusted-rsa");
  const std::string& body = Vendors().body;
  for (const DigestName digest : {kSha256, kSha1}) {
    const std::string name(digest.name);
    ExpectLoad(policy, WithSignature(body, signer.Over(body, digest).Der()).Bytes(), kTrusted,
               name);
    ExpectLoad(policy, WithSignature(body, signer.Over(body + "x", digest).Der()).Bytes(),
               Refused(EKEYREJECTED), name + ", of another body");
  }
}

}  // namespace
}  // namespace kassay::modules
