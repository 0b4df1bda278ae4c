// kassay shell: a kernel with the suites inside, for a person.
#include <iostream>
#include <memory>
#include <set>

#include "harness/base/paths.h"
#include "harness/cli/command.h"
#include "harness/cli/labs.h"
#include "harness/suite/selection.h"

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
  MachineFlags machine;
};

Result<std::set<std::string>> GuestSuites() {
  KASSAY_TRY(const auto names, Installation({DataDir(), LibexecDir()}).InstalledSuites());
  std::set<std::string> suites;
  for (const std::string& name : names) {
    const auto catalogue = LoadCatalogue(DataDir() / "suites", name);
    if (catalogue && !catalogue->runs_on_host) suites.insert(name);
  }
  return suites;
}

Status Shell(const Options& options) {
  // What can be told without the kernel is told before it is fetched.
  KASSAY_CHECK(WhatCarriesMachines());
  KASSAY_CHECK(LoadProfile(DataDir() / "vm" / "profiles", options.profile));
  KASSAY_TRY(const Kernel kernel, ResolveKernel(options.kernel));
  KASSAY_TRY(VmLabOptions machines, MachinesOf(kernel, options.machine));
  KASSAY_TRY(machines.suites[options.profile], GuestSuites());
  VmLab lab(std::move(machines));
  KASSAY_CHECK(lab.Ready({options.profile}));
  return lab.Shell(options.profile,
                   [](const std::string& text) { std::cerr << "note: " << text << "\n"; });
}

void AddShellCommand(CLI::App& app, ExitCode& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("shell", "An interactive machine of a kernel, with the suites inside");
  command->footer(kFooter);
  AddKernelOptions(*command, options->kernel, /*required=*/true);
  command->add_option("--profile", options->profile, "How it is booted: vm/profiles/NAME.toml")
      ->capture_default_str();
  AddMachineFlags(*command, options->machine);
  command->callback([options, &exit_code] {
    const Status status = Shell(*options);
    if (!status) exit_code = Report(status.error());
  });
}

KASSAY_COMMAND(50, AddShellCommand);

}  // namespace
}  // namespace kassay::cli
