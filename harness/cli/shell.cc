// kassay shell: a kernel with the suites inside, for a person.
#include <iostream>
#include <memory>

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

Exit codes: 0 left, 2 wrong usage, 3 no QEMU or no kernel, 5 it does not boot.)";

struct Options {
  KernelOptions kernel;
  std::string profile = "stock";
  MachineFlags machine;
};

Result<ExitCode> Shell(const Options& options) {
  const Installation& installation = options.kernel.installation;
  // What can be told without the kernel is told before it is fetched.
  KASSAY_CHECK(WhatCarriesMachines());
  KASSAY_CHECK(LoadProfile(installation.ProfilesDir(), options.profile));
  KASSAY_TRY(VmLabOptions machines, MachinesOf(options.kernel, options.machine));
  KASSAY_TRY(const auto installed, InstalledSuites(installation));
  KASSAY_TRY(const auto catalogues, LoadCatalogues(installation, installed));
  for (const Catalogue& one : catalogues)
    if (!one.runs_on_host) machines.suites[options.profile].insert(one.suite);
  VmLab lab(std::move(machines));
  KASSAY_CHECK(lab.Ready({options.profile}));
  KASSAY_CHECK(lab.Shell(options.profile,
                         [](const std::string& text) { std::cerr << "note: " << text << "\n"; }));
  return ExitCode::kConformant;
}

void AddShellCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{context.installation});
  CLI::App* command =
      app.add_subcommand("shell", "An interactive machine of a kernel, with the suites inside");
  command->footer(kFooter);
  AddKernelOptions(*command, options->kernel, /*required=*/true);
  command->add_option("--profile", options->profile, "How it is booted: vm/profiles/NAME.toml")
      ->capture_default_str();
  AddMachineFlags(*command, options->machine);
  command->callback([options, &context] { context.Finish(Shell(*options)); });
}

KASSAY_COMMAND(50, AddShellCommand);

}  // namespace
}  // namespace kassay::cli
