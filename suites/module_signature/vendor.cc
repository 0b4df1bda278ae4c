// The vendor's own module, untouched, without its signature, and damaged in turn: no key of ours is
// needed.
#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "harness/base/unique_fd.h"
#include "suites/module_signature/loading.h"
#include "suites/support/child.h"
#include "suites/support/flipped.h"

namespace kassay::modules {
namespace {

KASSAY_CASE_IN_EVERY_POLICY(TheVendorsModuleIsTrusted, "SIG-001") {
  ExpectLoad(policy, Vendors().Bytes(), kTrusted, "as shipped");
}

KASSAY_CASE_IN_EVERY_POLICY(AModuleWithoutSignatureIsUntrusted, "SIG-002") {
  ExpectLoad(policy, Vendors().body, kUntrusted, "stripped");
}

KASSAY_CASE_IN_EVERY_POLICY(AChangedBodyIsRejected, "SIG-003") {
  const std::string& body = Vendors().body;
  // Also bytes that the loader never looks at: padding of the ELF header, the end of the file.
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{15}, std::size_t{64}, body.size() / 2, body.size() - 1}) {
    SignedModule module = Vendors();
    module.body = Flipped(body, at);
    ExpectLoad(policy, module.Bytes(), Refused(EKEYREJECTED), "byte " + std::to_string(at));
  }
  SignedModule module = Vendors();
  module.body += '\0';
  ExpectLoad(policy, module.Bytes(), Refused(EKEYREJECTED), "one byte longer");
  module.body = body.substr(0, body.size() - 1);
  ExpectLoad(policy, module.Bytes(), Refused(EKEYREJECTED), "one byte shorter");
}

KASSAY_CASE_IN_EVERY_POLICY(AChangedSignatureIsRejected, "SIG-004") {
  // Near the end there is only the signature itself, whatever the vendor's algorithm.
  for (const std::size_t from_end : {1, 20}) {
    SignedModule module = Vendors();
    module.pkcs7 = Flipped(module.pkcs7, module.pkcs7.size() - from_end);
    ExpectLoad(policy, module.Bytes(), Refused(EKEYREJECTED),
               std::to_string(from_end) + " bytes before the end");
  }
}

KASSAY_CASE_IN_EVERY_POLICY(ATruncatedSignatureIsMalformed, "SIG-005") {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{10}, Vendors().pkcs7.size() / 2}) {
    const std::string& whole = Vendors().pkcs7;
    ExpectLoad(policy, WithSignature(Vendors().body, whole.substr(0, whole.size() - cut)).Bytes(),
               Refused(EBADMSG), std::to_string(cut) + " bytes short");
  }
  ExpectLoad(policy, WithSignature(Vendors().body, std::string(64, 'x')).Bytes(), Refused(EBADMSG),
             "no PKCS#7 at all");
}

KASSAY_CASE_IN_EVERY_POLICY(AWrongMarkerMeansNoSignature, "SIG-006") {
  SignedModule module = Vendors();
  module.marker = Flipped(module.marker, 3);
  ExpectLoad(policy, module.Bytes(), kUntrusted, "changed");
  module.marker = std::string(kMarker.substr(0, kMarker.size() - 1));
  ExpectLoad(policy, module.Bytes(), kUntrusted, "cut");
  module.marker = std::string(kMarker) + "\n";
  ExpectLoad(policy, module.Bytes(), kUntrusted, "followed by a byte");
}

KASSAY_CASE_IN_EVERY_POLICY(AnotherKindOfSignatureIsNotSupported, "SIG-007") {
  for (const int type : {0, 1, 3, 255}) {
    SignedModule module = Vendors();
    module.info.id_type = static_cast<std::uint8_t>(type);
    ExpectLoad(policy, module.Bytes(), kUntrusted, "id_type " + std::to_string(type));
  }
}

KASSAY_CASE_IN_EVERY_POLICY(FieldsThatMustBeZeroAre, "SIG-008") {
  const auto expect = [&](const char* field, auto set) {
    SignedModule module = Vendors();
    set(module.info);
    ExpectLoad(policy, module.Bytes(), Refused(EBADMSG), field);
  };
  expect("algo", [](SignatureInfo& info) { info.algo = 1; });
  expect("hash", [](SignatureInfo& info) { info.hash = 1; });
  expect("signer_len", [](SignatureInfo& info) { info.signer_len = 1; });
  expect("key_id_len", [](SignatureInfo& info) { info.key_id_len = 1; });
  for (std::size_t i = 0; i < 3; ++i) expect("pad", [i](SignatureInfo& info) { info.pad[i] = 1; });
}

KASSAY_CASE_IN_EVERY_POLICY(ALengthThatDoesNotFitIsMalformed, "SIG-009") {
  SignedModule module = Vendors();
  const auto right = module.info.sig_len;
  const auto all = static_cast<std::uint32_t>(module.body.size() + module.pkcs7.size());
  for (const std::uint32_t length :
       {0U, right - 1, right + 1, all, all + 1, 0x7fffffffU, 0xffffffffU}) {
    module.info.sig_len = length;
    ExpectLoad(policy, module.Bytes(), Refused(EBADMSG), "length " + std::to_string(length));
  }
}

KASSAY_CASE_IN_EVERY_POLICY(AFileWithoutABodyIsHandled, "SIG-010", "SIG-011") {
  // The file must be longer than the marker to count as signed. init_module(2) asks for the size of
  // an ELF header first (copy_module_from_user), so only finit_module(2) sees these.
  const auto expect = [&](const std::string& file, Outcome outcome, const char* what) {
    ExpectLoadWithFlags(policy, file, 0, outcome, what);
    EXPECT_THAT(LoadFromMemory(file), IsErrno(ENOEXEC)) << what << ", init_module";
  };
  expect(std::string(kMarker), NotAModule(kUntrusted), "only the marker");
  expect(SignatureInfo{}.Bytes() + std::string(kMarker), Refused(EBADMSG),
         "the description and the marker");
  expect("x" + std::string(kMarker), Refused(EBADMSG), "one byte and the marker");
  // A right signature of something else, over nothing.
  SignedModule bare = Vendors();
  bare.body.clear();
  ExpectLoad(policy, bare.Bytes(), Refused(EBADMSG), "the signature alone");
  ExpectLoad(policy, std::string(100, 'x'), NotAModule(kUntrusted), "no module, no signature");
}

// The last signature is the one that counts, over everything before it.
KASSAY_CASE_IN_EVERY_POLICY(ASecondSignatureIsNotHelpedByTheFirst, "SIG-034") {
  SignedModule twice = Vendors();
  twice.body = Vendors().Bytes();
  ExpectLoad(policy, twice.Bytes(), Refused(EKEYREJECTED), "the same signature twice");
  ExpectLoad(policy, Vendors().Bytes() + "x", kUntrusted, "a byte after the signature");
  SignedModule unsupported = twice;
  unsupported.info.id_type = 1;
  ExpectLoad(policy, unsupported.Bytes(), kUntrusted, "an unsupported one after the good one");
}

KASSAY_CASE_IN_EVERY_POLICY(FlagsThatIgnorePartsDropTheSignature, "SIG-015") {
  // MODULE_INIT_IGNORE_VERMAGIC (2) forces the load: taint F. MODULE_INIT_IGNORE_MODVERSIONS (1)
  // does where the kernel has symbol versions.
  const bool versions = access("/sys/module/xcbc", F_OK) == 0 ||
                        Vendors().body.find("__versions") != std::string::npos;
  ExpectLoadWithFlags(policy, Vendors().Bytes(), 2, kUntrusted, "IGNORE_VERMAGIC", "FE");
  ExpectLoadWithFlags(policy, Vendors().Bytes(), 3, kUntrusted, "both", "FE");
  ExpectLoadWithFlags(policy, Vendors().Bytes(), 1, kUntrusted, "IGNORE_MODVERSIONS",
                      versions ? "FE" : "E");
}

KASSAY_CASE_IN_EVERY_POLICY(UnknownFlagsAreInvalid, "SIG-016") {
  for (const int flags : {8, 0x40000000})
    ExpectLoadWithFlags(policy, Vendors().Bytes(), flags, Refused(EINVAL), std::to_string(flags));
}

KASSAY_CASE_IN_EVERY_POLICY(WithoutThePrivilegeNothingIsLookedAt, "SIG-021") {
  const std::string good = Vendors().Bytes();
  const auto seen = InChild([&] {
    if (setgid(65534) != 0 || setuid(65534) != 0) return 1L;
    return LoadFromMemory(good);
  });
  EXPECT_THAT(seen, Returned(IsErrno(EPERM)));
  EXPECT_FALSE(IsLoaded());
  ExpectLoad(policy, good, kTrusted, "with the privilege");
}

KASSAY_CASE(Open, EnforcementCanBeTurnedOnAndNotOff, Cites("SIG-022").AllowsTaint("E")) {
  RequirePolicy(Policy::kOpen);
  const auto write_parameter = [](const char* value) {
    const UniqueFd file(open("/sys/module/module/parameters/sig_enforce", O_WRONLY | O_CLOEXEC));
    const ssize_t put = write(file.Get(), value, 1);
    return put < 0 ? -errno : 0;
  };
  EXPECT_THAT(write_parameter("0"), IsErrno(0));
  ExpectLoad(Policy::kOpen, Vendors().body, kUntrusted, "before");
  EXPECT_THAT(write_parameter("1"), IsErrno(0));
  ExpectLoad(Policy::kEnforced, Vendors().body, kUntrusted, "after");
  EXPECT_THAT(write_parameter("0"), IsErrno(EROFS));
  ExpectLoad(Policy::kEnforced, Vendors().body, kUntrusted, "after the attempt to turn it off");
  ExpectLoad(Policy::kEnforced, Vendors().Bytes(), kTrusted, "the vendor's");
}

KASSAY_CASE(Open, TheTaintStaysWhenTheModuleGoes, Cites("SIG-023").AllowsTaint("E")) {
  RequirePolicy(Policy::kOpen);
  ASSERT_EQ(KernelTaint() & kTaintUnsigned, 0U);
  ASSERT_THAT(Load(Vendors().body), IsErrno(0));
  Unload();
  ASSERT_FALSE(IsLoaded());
  EXPECT_EQ(KernelTaint() & kTaintUnsigned, kTaintUnsigned);
  ExpectLoad(Policy::kOpen, Vendors().Bytes(), kTrusted, "a trusted one afterwards has no taint");
}

}  // namespace
}  // namespace kassay::modules
