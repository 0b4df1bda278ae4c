#include "harness/vm/testing/nested_machine.h"

#include <fmt/format.h>

#include <iterator>
#include <sstream>

#include "harness/base/file.h"
#include "harness/base/process/program.h"
#include "harness/image/cpio_image.h"
#include "harness/image/initramfs.h"
#include "harness/image/prepared_files.h"
#include "harness/image/shared_libraries.h"
#include "harness/kernel/store.h"
#include "harness/suite/installed_suites.h"
#include "harness/vm/boot.h"

namespace kassay::testing {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPrefix = "/opt/kassay";
constexpr const char* kCache = "/var/cache/kassay";
constexpr const char* kHeaders = "/opt/headers";

// What the suites' own profiles ask for, as far as it goes together. Without btrfs, which measures
// its checksums for seconds when it is loaded.
constexpr const char* kProfile =
    "description = \"A part of every suite\"\n"
    "memory_mib = 768\n"
    "command_line = [\"lsm=lockdown,landlock,selinux,bpf\", \"init_on_alloc=0\",\n"
    "                \"dm_verity.keyring_unsealed=1\"]\n"
    "modules = [\"loop\", \"dm-mod\", \"ext4\", \"sha512\"]\n"
    "image_modules = [\"xcbc\", \"dm-verity\"]\n"
    "files = [\"keys\", \"certificates\", \"vectors\", \"selinux/bpf_token.policy\",\n"
    "         \"selinux/bpf_token_perms.policy\", \"selinux/bpf_token_future.policy\"]\n";

Status AddProgram(CpioImage& image, const fs::path& to, const fs::path& program) {
  image.AddFile(to, program, 0755);
  KASSAY_TRY(const std::vector<SharedLibrary> libraries, SharedLibrariesOf(program, kX86_64));
  for (const SharedLibrary& library : libraries)
    image.AddFile(library.guest_path, library.host_file, 0755);
  return {};
}

// Every file below `from`, links followed: a build folder consists of them.
Status AddTree(CpioImage& image, const fs::path& to, const fs::path& from) {
  std::error_code error;
  fs::recursive_directory_iterator at(from, fs::directory_options::follow_directory_symlink, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (!at->is_regular_file()) continue;
    const bool runs = (at->status().permissions() & fs::perms::owner_exec) != fs::perms::none;
    image.AddFile(to / at->path().lexically_relative(from), at->path(), runs ? 0755 : 0644);
  }
  return error ? Fail("cannot read " + from.string() + ": " + error.message()) : Status();
}

// QEMU looks for its parts relative to itself: all stay where they are here.
Status AddQemu(CpioImage& image) {
  KASSAY_TRY(const QemuBinary qemu, FindQemu({}, kX86_64));
  KASSAY_CHECK(AddProgram(image, qemu.path, qemu.path));
  // Debian's loads its emulation when it is asked for.
  const fs::path emulation =
      qemu.path.parent_path().parent_path() / "lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so";
  if (fs::exists(emulation)) KASSAY_CHECK(AddProgram(image, emulation, emulation));
  KASSAY_TRY(const ProgramOutcome folders, RunProgram({.argv = {qemu.path, "-L", "help"}}));
  for (const char* name : {"bios-256k.bin", "kvmvapic.bin", "linuxboot_dma.bin", "pvh.bin"}) {
    std::istringstream lines(folders.standard_output);
    fs::path file;
    for (std::string folder; file.empty() && std::getline(lines, folder);) {
      const fs::path candidate = (fs::path(folder) / name).lexically_normal();
      if (fs::exists(candidate)) file = candidate;
    }
    if (file.empty())
      return Fail(fmt::format("{} has no {}: apt-get install {}", qemu.path.string(), name,
                              kX86_64.qemu_package));
    image.AddFile(file, file);
  }
  return {};
}

Status AddInstallation(CpioImage& image, const Installation& installation) {
  for (const char* part : {"vm", "suites", "fixtures"})
    KASSAY_CHECK(
        AddTree(image, fs::path(kPrefix) / "share/kassay" / part, installation.data_dir / part));
  image.AddText(fs::path(kPrefix) / "share/kassay/vm/profiles/nested.toml", kProfile);
  KASSAY_CHECK(AddTree(image, fs::path(kPrefix) / "libexec/kassay", installation.libexec_dir));
  KASSAY_TRY(const auto suites, InstalledSuites(installation));
  for (const std::string& suite : suites) {
    KASSAY_TRY(const SuiteFiles files, FindSuite(installation, suite));
    KASSAY_CHECK(
        AddProgram(image, fs::path(kPrefix) / "libexec/kassay/suites" / suite, files.executable));
  }
  return {};
}

// The unpacked kernel, under the name that the store inside looks for.
Status AddKernel(CpioImage& image, const Installation& installation, const Kernel& kernel) {
  const fs::path below = kernel.image.lexically_relative(installation.KernelsDir());
  const fs::path tree = *below.begin() / *std::next(below.begin());  // trees/NAME/boot/vmlinuz-..
  return AddTree(image, fs::path(kCache) / "kernels" / tree, installation.KernelsDir() / tree);
}

// A compiler inside would take minutes.
Status AddPrepared(CpioImage& image, const Installation& installation, const Kernel& kernel,
                   const fs::path& headers) {
  KASSAY_TRY(const auto names, InstalledSuites(installation));
  KASSAY_TRY(const auto suites, LoadSuites(installation, names));
  const std::string& release = kernel.identity.release;
  for (const Suite& suite : suites) {
    if (!suite.list.prepares || suite.catalogue.runs_on_host) continue;
    const std::string& name = suite.catalogue.suite;
    KASSAY_TRY(const fs::path folder, PreparedFolder(installation, {name, release, headers}));
    KASSAY_TRY(const std::string key, PreparedKey(installation, {name, release, kHeaders}));
    KASSAY_CHECK(AddTree(image, fs::path(kCache) / "prepared" / key, folder));
  }
  return {};
}

Result<CpioImage> World(const NestedMachineSpec& spec, const Kernel& kernel,
                        const fs::path& headers) {
  CpioImage image;
  for (const fs::path& program : spec.programs)
    KASSAY_CHECK(AddProgram(image, fs::path(kPrefix) / "bin" / program.filename(), program));
  KASSAY_CHECK(AddQemu(image));
  KASSAY_CHECK(AddInstallation(image, spec.installation));
  KASSAY_CHECK(AddKernel(image, spec.installation, kernel));
  KASSAY_CHECK(AddPrepared(image, spec.installation, kernel, headers));
  image.AddFolder(kHeaders);
  return image;
}

}  // namespace

Result<NestedMachine> NestedMachine::Boot(const NestedMachineSpec& spec) {
  StoreOptions options;
  options.cache_dir = spec.installation.KernelsDir();
  options.pins_file = spec.installation.PinsFile();
  const KernelStore store(options);
  MachineSpec machine;
  KASSAY_TRY(machine.kernel, store.Resolve(spec.kernel));
  KASSAY_TRY(const fs::path headers, store.Headers(spec.kernel));
  machine.profile.name = "nested";
  machine.profile.cpu = "max,+svm";
  machine.profile.memory_mib = 4096;
  // With two, emulated by two threads, one may run into the int3 that the other has just replaced
  // in a jump label (KVM flips apic_has_pending_timer's with each machine), and the kernel dies.
  machine.profile.cpus = 1;
  machine.profile.modules = {"kvm-amd"};
  InitramfsSpec small;
  small.installation = &spec.installation;
  small.kernel = &machine.kernel;
  small.profile = &machine.profile;
  small.with_shell = true;
  KASSAY_TRY(const Initramfs initramfs, BuildInitramfs(small, spec.installation.ImagesDir()));
  if (!initramfs.missing_modules.empty())
    return Fail(spec.kernel + " has no " + initramfs.missing_modules.front());
  KASSAY_TRY(std::string bytes, ReadFile(initramfs.path));
  KASSAY_TRY(const CpioImage world, World(spec, machine.kernel, headers));
  KASSAY_TRY(const std::string more, world.Bytes());
  machine.initramfs.path = spec.scratch / "nested.cpio";
  KASSAY_CHECK(WriteFileAtomically(machine.initramfs.path, bytes + more));
  VmOptions vm;
  vm.accelerator = Accelerator::kTcg;
  vm.boot_limit = std::chrono::minutes(10);  // it unpacks all of that
  KASSAY_TRY(BootedMachine booted, BootFresh(machine, vm));
  NestedMachine nested(std::move(booted.guest));
  KASSAY_TRY(const GuestOutcome set_up, nested.Run("/bin/busybox --install -s /bin 2>/dev/null\n"
                                                   "mount -o remount,size=90% / && ls /dev/kvm",
                                                   std::chrono::seconds(60)));
  if (set_up.end == GuestOutcome::End::kExited && set_up.status == 0) return nested;
  return Fail("the emulated machine has no KVM: " + set_up.output);
}

Result<GuestOutcome> NestedMachine::Run(const std::string& script, std::chrono::seconds limit) {
  const std::string surroundings =
      fmt::format("export PATH={}:$PATH KASSAY_CACHE_DIR={} KASSAY_STATE_DIR=/tmp/state\ncd /tmp\n",
                  (fs::path(kPrefix) / "bin").string(), kCache);
  return guest_->Run({{"/bin/busybox", "sh", "-c", surroundings + script}, limit, "nested"}, {});
}

}  // namespace kassay::testing
