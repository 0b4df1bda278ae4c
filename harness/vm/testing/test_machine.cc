#include "harness/vm/testing/test_machine.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "harness/base/file.h"
#include "harness/base/installation.h"
#include "harness/base/sha256.h"
#include "harness/kernel/store.h"

namespace kassay::testing {
namespace fs = std::filesystem;
namespace {

using EntryOwner = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;

Status AddFolder(archive* image, const char* path) {
  const EntryOwner entry(archive_entry_new(), &archive_entry_free);
  archive_entry_set_pathname(entry.get(), path);
  archive_entry_set_mode(entry.get(), AE_IFDIR | 0755);
  archive_entry_set_size(entry.get(), 0);
  if (archive_write_header(image, entry.get()) != ARCHIVE_OK)
    return Fail(std::string("cannot write the test image: ") + archive_error_string(image));
  return {};
}

Status AddProgram(archive* image, const char* path, const fs::path& source) {
  KASSAY_TRY(const std::string bytes, ReadFile(source));
  const EntryOwner entry(archive_entry_new(), &archive_entry_free);
  archive_entry_set_pathname(entry.get(), path);
  archive_entry_set_mode(entry.get(), AE_IFREG | 0755);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  if (archive_write_header(image, entry.get()) != ARCHIVE_OK ||
      archive_write_data(image, bytes.data(), bytes.size()) !=
          static_cast<la_ssize_t>(bytes.size()))
    return Fail(std::string("cannot write the test image: ") + archive_error_string(image));
  return {};
}

Status WriteImage(const fs::path& path, const Installation& installation) {
  const std::unique_ptr<archive, decltype(&archive_write_free)> image(archive_write_new(),
                                                                      &archive_write_free);
  archive_write_set_format_cpio_newc(image.get());
  if (archive_write_open_filename(image.get(), path.c_str()) != ARCHIVE_OK)
    return Fail("cannot write " + path.string());
  for (const char* folder : {"bin", "proc", "sys", "dev", "tmp", "run", "root"})
    KASSAY_CHECK(AddFolder(image.get(), folder));
  KASSAY_CHECK(AddProgram(image.get(), "init", installation.Agent()));
  KASSAY_CHECK(AddProgram(image.get(), "bin/probe", installation.libexec_dir / "vm-probe"));
  if (archive_write_close(image.get()) != ARCHIVE_OK) return Fail("cannot write " + path.string());
  return {};
}

}  // namespace

Result<MachineSpec> TestMachine(const fs::path& folder) {
  const char* kernel = std::getenv("KASSAY_TEST_KERNEL");  // NOLINT(concurrency-mt-unsafe)
  const Installation installation = Installation::OfThisProgram();
  StoreOptions store;
  store.cache_dir = installation.KernelsDir();
  store.pins_file = installation.PinsFile();
  MachineSpec spec;
  KASSAY_TRY(spec.kernel, KernelStore(store).Resolve(kernel == nullptr ? "debian:7.0.13" : kernel));
  spec.profile.name = "test";
  spec.initramfs.path = folder / "initramfs";
  KASSAY_CHECK(WriteImage(spec.initramfs.path, installation));
  KASSAY_TRY(spec.initramfs.sha256, Sha256HexOfFile(spec.initramfs.path));
  return spec;
}

Result<VmOptions> TestOptions() {
  VmOptions options;
  options.cache_dir = Installation::OfThisProgram().cache_dir;
  const char* accelerator = std::getenv("KASSAY_TEST_ACCEL");  // NOLINT(concurrency-mt-unsafe)
  const char* cpu = std::getenv("KASSAY_TEST_CPU");            // NOLINT(concurrency-mt-unsafe)
  if (cpu != nullptr) options.cpu = cpu;
  if (accelerator != nullptr) {
    KASSAY_TRY(options.accelerator, ParseAccelerator(accelerator));
    options.boot_limit = std::chrono::minutes(10);  // in a machine in a machine
  }
  return options;
}

ScratchFolder::ScratchFolder() {
  std::string pattern = (fs::temp_directory_path() / "kassay-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace kassay::testing
