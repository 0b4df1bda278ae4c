#include "harness/vm/uefi.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/base/text/hex.h"
#include "harness/firmware/fat_disk.h"
#include "harness/firmware/load_option.h"
#include "harness/firmware/signature_list.h"
#include "harness/firmware/variable_store.h"
#include "harness/kernel/pe_image.h"
#include "harness/vm/memory_file.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostFirmware = std::size_t{64} << 20;
constexpr std::size_t kMostImage = std::size_t{512} << 20;
constexpr std::size_t kMostInitramfs = std::size_t{1} << 30;

constexpr std::uint32_t kKept = efi::kNonVolatile | efi::kBootService;
constexpr std::uint32_t kForTheKernelToo = kKept | efi::kRuntime;
constexpr std::uint32_t kAuthenticated = kForTheKernelToo | efi::kTimeBasedAuthenticated;

fs::path FirmwareFile(std::string_view installed) {
  const char* folder = std::getenv("KASSAY_FIRMWARE_DIR");  // NOLINT(concurrency-mt-unsafe)
  const fs::path file(installed);
  return folder == nullptr ? file : fs::path(folder) / file.filename();
}

// What goes into the store, and the same for the record.
class Enrolment {
 public:
  void Certificate(const char* variable, const std::string& der) {
    lists_[variable] += efi::ListOfCertificates({der});
    enrolled_.push_back({variable, SubjectOf(der), Sha256Hex(der)});
  }
  void Digest(const std::string& sha256) {
    lists_["db"] += efi::ListOfDigest(sha256);
    enrolled_.push_back({"db", "image", ToHex(sha256)});
  }
  [[nodiscard]] std::vector<efi::Variable> Variables(bool secure_boot) const {
    std::vector<efi::Variable> variables;
    for (const auto& [name, lists] : lists_) {
      const efi::Guid& vendor = name == "db" ? efi::kImageSecurityDatabase : efi::kGlobalVariable;
      variables.push_back({name, vendor.Bytes(), kAuthenticated, lists});
    }
    variables.push_back({"SecureBootEnable", efi::kSecureBootEnableDisable.Bytes(), kKept,
                         std::string(1, secure_boot ? '\1' : '\0')});
    return variables;
  }
  [[nodiscard]] const std::vector<Enrolled>& All() const { return enrolled_; }

 private:
  std::map<std::string, std::string> lists_;  // by variable
  std::vector<Enrolled> enrolled_;
};

Result<Enrolment> EnrolmentFor(const MachineSpec& spec, std::string_view image) {
  Enrolment enrolment;
  if (spec.enroll.empty())
    return Fail("profile " + spec.profile.name + " enrolls nothing", ErrorKind::kUsage);
  for (const std::string& der : spec.enroll) {
    if (SubjectOf(der).empty())
      return Fail("profile " + spec.profile.name + ": what it enrolls is no certificate",
                  ErrorKind::kUsage);
  }
  enrolment.Certificate("PK", spec.enroll.front());
  enrolment.Certificate("KEK", spec.enroll.front());
  for (const std::string& der : spec.enroll) enrolment.Certificate("db", der);
  KASSAY_TRY(const std::vector<std::string> signers, SignersOf(image));
  for (const std::string& der : signers) enrolment.Certificate("db", der);
  if (signers.empty()) {
    KASSAY_TRY(const std::string digest, AuthenticodeSha256(image));
    enrolment.Digest(digest);
  }
  return enrolment;
}

}  // namespace

Result<bool> BootsThroughUefi(const Kernel& kernel, const Profile& profile,
                              const VmOptions& options) {
  if (profile.firmware.empty() || options.boot == "direct") return false;
  return ReadHasEfiStub(kernel.image);
}

Status FindUefi(const Architecture& architecture) {
  for (const std::string_view file : {architecture.uefi_code, architecture.uefi_variables}) {
    const fs::path path = FirmwareFile(file);
    if (::access(path.c_str(), R_OK) == 0) continue;
    return Fail(fmt::format("there is no UEFI firmware {}: apt-get install {}", path.string(),
                            architecture.uefi_package));
  }
  return {};
}

Result<std::shared_ptr<const Uefi>> PlanUefi(const MachineSpec& spec) {
  const Architecture& architecture = *spec.kernel.architecture;
  KASSAY_CHECK(FindUefi(architecture));
  const fs::path code_file = FirmwareFile(architecture.uefi_code);
  KASSAY_TRY(const std::string code, ReadFile(code_file, kMostFirmware));
  const fs::path store_file = FirmwareFile(architecture.uefi_variables);
  KASSAY_TRY(const std::string empty, ReadFile(store_file, kMostFirmware));
  KASSAY_TRY(const std::string image, ReadFile(spec.kernel.image, kMostImage));
  const auto enrolment = EnrolmentFor(spec, image);
  if (!enrolment) return Fail(enrolment.error().Within(spec.kernel.image.string()));

  auto uefi = std::make_shared<Uefi>();
  uefi->record.file = code_file.filename();
  uefi->record.sha256 = Sha256Hex(code);
  uefi->record.secure_boot = spec.profile.firmware == "uefi-secure-boot";
  uefi->record.enrolled = enrolment->All();
  KASSAY_TRY(uefi->code, SealedFile("kassay-firmware", code));
  auto store = efi::WithVariables(empty, enrolment->Variables(uefi->record.secure_boot));
  if (!store) return Fail(store.error().Within(store_file.string()));
  uefi->store = *std::move(store);
  std::error_code error;
  const std::uintmax_t initramfs = fs::file_size(spec.initramfs.path, error);
  if (error) return Fail(spec.initramfs.path.string() + ": " + error.message());
  KASSAY_TRY(uefi->boot_disk_bytes, efi::FatDiskBytes({image.size(), initramfs}));
  return uefi;
}

Result<UefiFiles> OpenUefiFiles(const Uefi& uefi, const MachineSpec& spec,
                                const std::string& command_line) {
  const std::string order = efi::Le(0, 2);
  const std::string global = efi::kGlobalVariable.Bytes();
  KASSAY_TRY(const std::string store,
             efi::WithVariables(uefi.store, {{"Boot0000", global, kForTheKernelToo,
                                              efi::LoadOption("\\KERNEL.EFI", command_line)},
                                             {"BootOrder", global, kForTheKernelToo, order}}));
  KASSAY_TRY(const std::string image, ReadFile(spec.kernel.image, kMostImage));
  KASSAY_TRY(const std::string initramfs, ReadFile(spec.initramfs.path, kMostInitramfs));
  KASSAY_TRY(const std::string disk,
             efi::FatDisk({{"KERNEL.EFI", image}, {"INITRD.IMG", initramfs}}));
  UefiFiles files;
  KASSAY_TRY(files.variables, OwnFile("kassay-variables", store));
  KASSAY_TRY(files.boot_disk, SealedFile("kassay-boot", disk));
  return files;
}

Result<UefiFiles> BlankUefiFiles(const Uefi& uefi) {
  UefiFiles files;
  KASSAY_TRY(files.variables, BlankFile("kassay-variables", uefi.store.size()));
  KASSAY_TRY(files.boot_disk, BlankFile("kassay-boot", uefi.boot_disk_bytes));
  return files;
}

}  // namespace kassay
