#include "harness/vm/uefi.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/base/text/hex.h"
#include "harness/firmware/load_option.h"
#include "harness/firmware/signature_list.h"
#include "harness/firmware/testing/empty_store.h"
#include "harness/firmware/variable_store.h"
#include "harness/kernel/pe_image.h"
#include "harness/vm/testing/images.h"
#include "harness/vm/testing/test_machine.h"

namespace kassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::SmallBzImage;
using testing::SmallElf;
using testing::WithEfiStub;

std::string Fixture(const std::string& name) {
  return ReadFile(std::filesystem::path(KASSAY_FIXTURES_FOLDER) / "certificates" / name).value();
}

std::string Contents(const UniqueFd& file) {
  return ReadFile("/proc/self/fd/" + std::to_string(file.Get())).value();
}

class UefiTest : public ::testing::Test {
 protected:
  UefiTest() {
    ::setenv("KASSAY_FIRMWARE_DIR", scratch_.path().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    spec_.kernel.image = scratch_.path() / "image";
    spec_.initramfs.path = scratch_.path() / "initramfs";
    spec_.profile.name = "uefi";
    spec_.profile.firmware = "uefi";
    spec_.enroll = {Fixture("trusted-rsa.der"), Fixture("trusted-ecdsa.der")};
    Write("image", image_);
    Write("initramfs", "initramfs");
  }
  ~UefiTest() override { ::unsetenv("KASSAY_FIRMWARE_DIR"); }  // NOLINT(concurrency-mt-unsafe)
  UefiTest(const UefiTest&) = delete;
  UefiTest& operator=(const UefiTest&) = delete;

  void Write(const std::string& name, const std::string& bytes) const {
    ASSERT_TRUE(WriteFileAtomically(scratch_.path() / name, bytes));
  }
  void WriteFirmware(std::size_t store_bytes = 16384) const {
    Write("OVMF_CODE_4M.secboot.fd", "code");
    Write("OVMF_VARS_4M.fd", efi::testing::EmptyStore(store_bytes));
  }

  kassay::testing::ScratchFolder scratch_;
  MachineSpec spec_;
  const std::string image_ = WithEfiStub(SmallBzImage("x"));
};

TEST_F(UefiTest, IsForProfilesThatAskAndKernelsThatCan) {
  VmOptions options;
  const auto through = [&] { return *BootsThroughUefi(spec_.kernel, spec_.profile, options); };
  EXPECT_TRUE(through());
  options.boot = "bzimage";
  EXPECT_TRUE(through());
  options.boot = "direct";
  EXPECT_FALSE(through());
  options.boot.clear();
  for (const std::string& image : {SmallBzImage("x"), SmallElf()}) {
    Write("image", image);
    EXPECT_FALSE(through());
  }
  Write("image", image_);
  spec_.profile.firmware.clear();
  EXPECT_FALSE(through());
}

TEST_F(UefiTest, SaysHowToInstallTheFirmware) {
  const auto missing = PlanUefi(spec_);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message,
              AllOf(HasSubstr("OVMF_CODE_4M.secboot.fd"), HasSubstr("apt-get install ovmf")));
}

TEST_F(UefiTest, EnrollsTheProfilesCertificatesAndWhatStartsTheKernel) {
  WriteFirmware();
  const auto uefi = PlanUefi(spec_);
  ASSERT_TRUE(uefi) << uefi.error().message;
  const std::string& rsa = spec_.enroll[0];
  const std::string& ecdsa = spec_.enroll[1];
  const std::string digest = AuthenticodeSha256(image_).value();
  const Firmware& record = (*uefi)->record;
  EXPECT_EQ(record.file, "OVMF_CODE_4M.secboot.fd");
  EXPECT_EQ(record.sha256, Sha256Hex("code"));
  EXPECT_FALSE(record.secure_boot);
  EXPECT_THAT(record.enrolled,
              ElementsAre(Enrolled{"PK", "CN=trusted-rsa,O=kassay", Sha256Hex(rsa)},
                          Enrolled{"KEK", "CN=trusted-rsa,O=kassay", Sha256Hex(rsa)},
                          Enrolled{"db", "CN=trusted-rsa,O=kassay", Sha256Hex(rsa)},
                          Enrolled{"db", "CN=trusted-ecdsa,O=kassay", Sha256Hex(ecdsa)},
                          Enrolled{"db", "image", ToHex(digest)}));
  const auto variables = efi::VariablesOf((*uefi)->store);
  ASSERT_TRUE(variables);
  const std::string global = efi::kGlobalVariable.Bytes();
  const std::string lists = efi::ListOfCertificates({rsa});
  EXPECT_THAT(
      *variables,
      ElementsAre(efi::Variable{"KEK", global, 0x27, lists},
                  efi::Variable{"PK", global, 0x27, lists},
                  efi::Variable{"db", efi::kImageSecurityDatabase.Bytes(), 0x27,
                                efi::ListOfCertificates({rsa, ecdsa}) + efi::ListOfDigest(digest)},
                  efi::Variable{"SecureBootEnable", efi::kSecureBootEnableDisable.Bytes(), 3,
                                std::string(1, '\0')}));
}

TEST_F(UefiTest, SecureBootIsOneSwitch) {
  WriteFirmware();
  const auto off = PlanUefi(spec_);
  spec_.profile.firmware = "uefi-secure-boot";
  const auto on = PlanUefi(spec_);
  ASSERT_TRUE(off && on);
  EXPECT_TRUE((*on)->record.secure_boot);
  auto variables = efi::VariablesOf((*on)->store).value();
  EXPECT_EQ(variables.back().data, std::string(1, '\1'));
  variables.back().data = std::string(1, '\0');
  EXPECT_EQ(variables, efi::VariablesOf((*off)->store).value());
}

TEST_F(UefiTest, EachMachineHasItsOwnFiles) {
  WriteFirmware();
  const auto uefi = PlanUefi(spec_);
  ASSERT_TRUE(uefi) << uefi.error().message;
  const auto files = OpenUefiFiles(**uefi, spec_, "quiet");
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_THAT(Contents(files->boot_disk), AllOf(HasSubstr("KERNEL  EFI"), HasSubstr("initramfs")));
  const auto variables = efi::VariablesOf(Contents(files->variables)).value();
  ASSERT_EQ(variables.size(), 6U);
  EXPECT_EQ(variables[4].name, "Boot0000");
  EXPECT_EQ(variables[4].data, efi::LoadOption("\\KERNEL.EFI", "quiet"));
  EXPECT_EQ(variables[5].name, "BootOrder");
  const auto blank = BlankUefiFiles(**uefi);
  ASSERT_TRUE(blank);
  EXPECT_EQ(Contents(blank->variables).size(), Contents(files->variables).size());
  EXPECT_EQ(Contents(blank->boot_disk).size(), Contents(files->boot_disk).size());
  EXPECT_EQ(::write(blank->variables.Get(), "x", 1), 1) << "the firmware writes to it";
}

TEST_F(UefiTest, RefusesWhatIsNoCertificateAndNoStore) {
  WriteFirmware(1000);
  const auto full = PlanUefi(spec_);
  ASSERT_FALSE(full);
  EXPECT_THAT(full.error().message, HasSubstr("OVMF_VARS_4M.fd: no room"));
  Write("OVMF_VARS_4M.fd", "no store");
  EXPECT_THAT(PlanUefi(spec_).error().message, HasSubstr("OVMF_VARS_4M.fd: not a store"));
  WriteFirmware();
  spec_.enroll.push_back("no certificate");
  EXPECT_THAT(PlanUefi(spec_).error().message, HasSubstr("no certificate"));
}

}  // namespace
}  // namespace kassay
