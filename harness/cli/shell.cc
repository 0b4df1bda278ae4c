// kassay shell: a kernel with the suites inside, for a person.
#include <iostream>
#include <memory>

#include "harness/base/paths.h"
#include "harness/cli/command.h"
#include "harness/cli/kernel_options.h"
#include "harness/image/initramfs.h"
#include "harness/suite/selection.h"
#include "harness/vm/boot.h"
#include "harness/vm/boot_path.h"

namespace kassay::cli {
namespace {

const std::string kFooter = std::string(kKernelSpecs) + R"(

A shell as root on the kernel's console; the suites are GoogleTest programs below /kassay/suites.
Leave it with `exit`, or with Ctrl-A x.

Examples:
  kassay shell --kernel debian:7.0.13
  kassay shell --kernel debian:7.0.13 --profile selinux
  (inside) /kassay/suites/io_uring --gtest_filter='TaskFilter.*'

Exit codes: 0 left, 2 wrong usage, 3 no QEMU, no kernel, it does not boot.)";

struct Options {
  KernelOptions kernel;
  std::string profile = "stock";
  std::string accelerator = "auto";
  std::string boot;
};

Result<std::vector<std::string>> GuestSuites() {
  KASSAY_TRY(auto names, Installation({DataDir(), LibexecDir()}).InstalledSuites());
  std::erase_if(names, [](const std::string& name) {
    const auto catalogue = LoadCatalogue(DataDir() / "suites", name);
    return !catalogue || catalogue->runs_on_host;
  });
  return names;
}

Status Shell(const Options& options) {
  VmOptions vm;
  KASSAY_TRY(vm.accelerator, ParseAccelerator(options.accelerator));
  vm.boot = options.boot;
  vm.note = [](const std::string& text) { std::cerr << "note: " << text << "\n"; };
  KASSAY_TRY(const QemuBinary qemu, FindQemu(vm));
  KASSAY_TRY(const Profile profile, LoadProfile(DataDir() / "vm" / "profiles", options.profile));
  KASSAY_TRY(const Kernel kernel, ResolveKernel(options.kernel));
  KASSAY_CHECK(BootModeFor(kernel, profile, vm));
  InitramfsSpec image;
  image.kernel = &kernel;
  image.profile = &profile;
  image.with_shell = true;
  KASSAY_TRY(image.suites, GuestSuites());
  KASSAY_TRY(const Initramfs initramfs, BuildInitramfs(image, CacheDir() / "images"));
  return RunShell({kernel, profile, initramfs}, vm);
}

void AddShellCommand(CLI::App& app, ExitCode& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("shell", "An interactive machine of a kernel, with the suites inside");
  command->footer(kFooter);
  AddKernelOptions(*command, options->kernel, /*required=*/true);
  command->add_option("--profile", options->profile, "How it is booted: vm/profiles/NAME.toml")
      ->capture_default_str();
  command->add_option("--accel", options->accelerator, "`auto`, `kvm` or `tcg`")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
  command->add_option("--boot", options->boot, "`direct` or `bzimage`; without it the profile's")
      ->check(CLI::IsMember({"direct", "bzimage"}));
  command->callback([options, &exit_code] {
    const Status status = Shell(*options);
    if (!status) exit_code = Report(status.error());
  });
}

KASSAY_COMMAND(50, AddShellCommand);

}  // namespace
}  // namespace kassay::cli
