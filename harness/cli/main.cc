#include <cstdio>
#include <exception>
#include <iostream>

#include "harness/base/interrupt.h"
#include "harness/cli/command.h"
#include "harness/cli/kernel_options.h"

namespace kassay::cli {

ExitCode Report(const Error& error) {
  std::cerr << "kassay: " << error.message << "\n";
  return ExitCodeOf(error.kind);
}

void Context::Finish(const Result<ExitCode>& code) {
  exit_code = code ? *code : Report(code.error());
}

namespace {

constexpr const char* kFooter = R"(Exit codes:
  0    conformant
  1    nonconformant: at least one requirement does not hold
  2    wrong usage
  3    could not test: no QEMU, no kernel, no room; or nothing passed; or a case was left unmet
       (but for those that want a key that the kernel trusts, and what --allow-unmet names)
  4    worse than the baseline
  5    the kernel comes up in no machine
  130  interrupted; what was finished is kept)";

int Main(int argc, char** argv) {
  InstallInterruptHandlers();
  CLI::App app(
      "kassay assays a Linux kernel: boots it in QEMU and tells, requirement by requirement,\n"
      "whether the security features of Linux 7.0 behave as their interfaces promise.",
      "kassay");
  app.set_version_flag("--version", "kassay " KASSAY_VERSION);
  app.require_subcommand(1);
  app.footer(kFooter);
  Context context{Installation::OfThisProgram()};
  AddSuitesOption(app, context.installation);
  for (const auto& [order, add] : Commands()) add(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(context.exit_code);
}

}  // namespace
}  // namespace kassay::cli

int main(int argc, char** argv) try {
  return kassay::cli::Main(argc, argv);
} catch (const std::exception& error) {  // of a library: nothing here throws
  static_cast<void>(std::fprintf(stderr, "kassay: %s\n", error.what()));
  return static_cast<int>(kassay::cli::ExitCode::kCouldNotTest);
}
