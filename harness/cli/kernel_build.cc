// kassay kernel build: the reference kernel, from source.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>

#include "harness/cli/command.h"
#include "harness/cli/kernel_options.h"
#include "harness/kernel/build.h"

namespace kassay::cli {
namespace {

constexpr const char* kFooter =
    R"(The kernel has everything on that the suites test and trusts the fixtures' certificates. The
variant minimal is tinyconfig with the options that kassay, its suites and their features name
(`kassay list kconfig`) and nothing else; it trusts none of the fixtures.
It is kept in the cache; `reference:7.0` names it afterwards. A build that was stopped goes on.

Examples:
  kassay kernel build 7.0
  kassay kernel build 7.0 --variant minimal
  kassay kernel build 7.0 --from /media/debs
  kassay kernel build mine --source ~/src/linux
  kassay run --kernel reference:7.0
  kassay run --kernel reference:7.0/minimal

Exit codes: 0 done, 2 wrong usage, 3 could not be built, 130 interrupted.)";

struct Options {
  explicit Options(Installation& installation) : store(StoreOf(installation)) {}

  StoreOptions store;
  BuildOptions build;
  bool quiet = false;
};

// A line that is rewritten where a person watches, and one for each stage where a log is kept.
std::function<void(const BuildProgress&)> ProgressShown() {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  return [terminal, stage = std::string()](const BuildProgress& progress) mutable {
    if (terminal) {
      std::cerr << "\r\033[K" << progress.stage;
      if (progress.objects > 0) std::cerr << fmt::format(" {:5} objects", progress.objects);
      std::cerr << "  " << progress.line.substr(0, 60) << std::flush;
      return;
    }
    const bool milestone = progress.objects > 0 && progress.objects % 250 == 0;
    if (progress.stage == stage && !milestone) return;
    stage = progress.stage;
    std::cerr << stage << (progress.objects > 0 ? fmt::format(" {} objects", progress.objects) : "")
              << "\n";
  };
}

ExitCode Build(Options& options) {
  if (!options.quiet) options.build.on_progress = ProgressShown();
  const auto built = BuildKernel(options.store, options.build);
  if (!options.quiet && ::isatty(STDERR_FILENO) != 0) std::cerr << "\r\033[K";
  if (!built) return Report(built.error());
  for (const std::string& wish : built->unmet)
    std::cerr << "kassay: this source does not take " << wish << "\n";
  std::cout << (built->was_there ? "already built: " : "built: ") << built->root.string() << "\n";
  if (options.build.source.empty())
    std::cout << "use it as: --kernel reference:" << options.build.version
              << (options.build.variant.empty() ? "" : "/" + options.build.variant) << "\n";
  return ExitCode::kConformant;
}

void AddKernelBuildCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(context.installation);
  CLI::App* build = app.get_subcommand("kernel")->add_subcommand(
      "build", "Build the reference kernel from its source package or a source tree");
  build->footer(kFooter);
  build->add_option("VERSION", options->build.version, "Version with a pinned source, e.g. 7.0")
      ->required();
  build->add_option("--variant", options->build.variant, "Instead of the full one")
      ->check(CLI::IsMember({"minimal"}));
  build
      ->add_option("--source", options->build.source,
                   "A linux-source .deb or a kernel source tree instead of the pinned package")
      ->check(CLI::ExistingPath);
  build->add_option("--kconfig", options->store.kconfig_dir, "Folder with the fragments")
      ->check(CLI::ExistingDirectory);
  build->add_option("-j,--jobs", options->build.jobs, "Jobs of make; one a CPU without it")
      ->check(CLI::Range(1, 1024));
  build->add_option("--from", options->store.from_dir, "Folder with the packages")
      ->check(CLI::ExistingDirectory);
  build->add_option("--mirror", options->store.mirror, "Root of a package mirror");
  build->add_flag("--quiet", options->quiet, "No progress");
  build->callback([options, &context] { context.exit_code = Build(*options); });
}

KASSAY_COMMAND(41, AddKernelBuildCommand);

}  // namespace
}  // namespace kassay::cli
