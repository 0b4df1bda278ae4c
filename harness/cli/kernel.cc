// kassay kernel list|fetch|show|remove|build: the kernels that this machine has, can get and can
// make.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/kernel_options.h"
#include "harness/kernel/build.h"
#include "harness/kernel/modules.h"

namespace kassay::cli {
namespace {

const std::string kFooter = std::string(kKernelSpecs) + R"(

Examples:
  kassay kernel list
  kassay kernel fetch debian:7.0.13
  kassay kernel fetch --all --from /media/debs
  kassay kernel show ~/src/linux
  kassay kernel remove debian:7.0.13

Exit codes: 0 done, 2 wrong usage or unknown kernel, 3 could not be done, 130 interrupted.)";

constexpr const char* kBuildFooter =
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
  KernelOptions kernel;
  std::vector<std::string> specs;
  bool all = false;
  bool source = false;
  BuildOptions build;
};

std::string Mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

Result<ExitCode> List(Options& options) {
  KASSAY_TRY(const auto stored, StoreOf(options.kernel).Stored());
  constexpr const char* kRow = "{:<18} {:<30} {:<9} {:>11} {:>11}\n";
  std::cout << fmt::format(kRow, "KERNEL", "RELEASE", "STATE", "PACKAGES", "UNPACKED");
  for (const StoredKernel& kernel : stored) {
    std::uint64_t download = 0;
    for (const auto& file : kernel.pin.files) download += file.size;
    const bool begun = kernel.packages_bytes > 0;
    const char* state = kernel.unpacked ? "ready" : begun ? "partly" : "to fetch";
    std::cout << fmt::format(kRow, kernel.pin.Spec(), kernel.pin.release, state,
                             Mebibytes(download),
                             kernel.unpacked ? Mebibytes(kernel.tree_bytes) : "-");
  }
  return ExitCode::kConformant;
}

Result<ExitCode> FetchAll(Options& options) {
  const KernelStore store = StoreOf(options.kernel);
  if (options.all) {
    KASSAY_TRY(const auto pins, store.Pinned());
    for (const auto& pin : pins) options.specs.push_back(pin.Spec());
  }
  if (options.specs.empty())
    return Fail("name a kernel, e.g. 'kassay kernel fetch debian:7.0.13', or give --all",
                ErrorKind::kUsage);
  for (const std::string& spec : options.specs) {
    KASSAY_TRY(const Kernel kernel, store.Resolve(spec));
    std::cout << spec << " is ready: " << kernel.image.string() << "\n";
    if (!options.source) continue;
    KASSAY_TRY(const PinnedKernel pin, store.Pinned(spec));
    if (pin.source.empty()) return Fail("no source package is pinned for " + spec);
    KASSAY_TRY(const auto files, store.Fetch(pin.source));
    for (const auto& file : files) std::cout << spec << " source: " << file.string() << "\n";
  }
  return ExitCode::kConformant;
}

Result<ExitCode> Show(Options& options) {
  KASSAY_TRY(const Kernel kernel, ResolveKernel(options.kernel));
  KASSAY_TRY(const ModuleTree modules, ModuleTree::Open(kernel.modules_dir));
  const KernelIdentity& identity = kernel.identity;
  const std::pair<const char*, std::string> lines[] = {
      {"spec", identity.spec},
      {"release", identity.release},
      {"version", identity.version},
      {"vendor", identity.vendor},
      {"package", identity.package},
      {"package version", identity.package_version},
      {"image", kernel.image.string()},
      {"image SHA-256", identity.image_sha256},
      {"modules", kernel.modules_dir.string()},
      {"modules count", std::to_string(modules.All().size())},
      {"modules SHA-256", identity.modules_sha256},
      {"config", kernel.config_file.string()},
      {"config SHA-256", identity.config_sha256}};
  for (const auto& [key, value] : lines)
    std::cout << fmt::format("{:<16} {}\n", key, value.empty() ? "-" : value);
  return ExitCode::kConformant;
}

Result<ExitCode> Remove(Options& options) {
  const KernelStore store = StoreOf(options.kernel);
  for (const std::string& spec : options.specs) {
    KASSAY_TRY(const PinnedKernel pin, store.Pinned(spec));
    KASSAY_TRY(const std::uint64_t freed, store.Remove(pin));
    std::cout << spec << " removed from the store, " << Mebibytes(freed) << " freed\n";
  }
  return ExitCode::kConformant;
}

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

Result<ExitCode> BuildIt(Options& options) {
  const bool quiet = options.kernel.quiet;
  if (!quiet) options.build.on_progress = ProgressShown();
  const auto built = BuildKernel(options.kernel.store, options.build);
  if (!quiet && ::isatty(STDERR_FILENO) != 0) std::cerr << "\r\033[K";
  if (!built) return Fail(built.error());
  for (const std::string& wish : built->unmet)
    std::cerr << "kassay: this source does not take " << wish << "\n";
  std::cout << (built->was_there ? "already built: " : "built: ") << built->root.string() << "\n";
  if (options.build.source.empty())
    std::cout << "use it as: --kernel reference:" << options.build.version
              << (options.build.variant.empty() ? "" : "/" + options.build.variant) << "\n";
  return ExitCode::kConformant;
}

void AddBuild(CLI::App& build, Options& options) {
  build.add_option("VERSION", options.build.version, "Version with a pinned source, e.g. 7.0")
      ->required();
  build.add_option("--variant", options.build.variant, "Instead of the full one")
      ->check(CLI::IsMember({"minimal"}));
  build
      .add_option("--source", options.build.source,
                  "A linux-source .deb or a kernel source tree instead of the pinned package")
      ->check(CLI::ExistingPath);
  build.add_option("--kconfig", options.kernel.store.kconfig_dir, "Folder with the fragments")
      ->check(CLI::ExistingDirectory);
  build.add_option("-j,--jobs", options.build.jobs, "Jobs of make; one a CPU without it")
      ->check(CLI::Range(1, 1024));
  AddSourceOptions(build, options.kernel);
  build.add_flag("--quiet", options.kernel.quiet, "No progress");
}

void AddKernelCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{context.installation});
  CLI::App* kernel = app.add_subcommand("kernel", "Fetch, list, show and remove kernels");
  kernel->require_subcommand(1);
  kernel->footer(kFooter);
  const auto add = [&](const char* name, const char* text, Result<ExitCode> (*act)(Options&)) {
    CLI::App* command = kernel->add_subcommand(name, text)->footer(kFooter);
    command->callback([options, act, &context] { context.Finish(act(*options)); });
    return command;
  };
  add("list", "The pinned kernels and which of them are here", &List);

  CLI::App* fetch = add(
      "fetch", "Fetch, verify (size and SHA-256) and unpack kernels; downloads resume", &FetchAll);
  fetch->add_option("KERNEL", options->specs, "Kernels, e.g. debian:7.0.13");
  fetch->add_flag("--all", options->all, "Every pinned kernel");
  fetch->add_flag("--source", options->source, "Their source packages too");
  AddSourceOptions(*fetch, options->kernel);

  CLI::App* show = add("show", "A kernel's identity, files and hashes", &Show);
  show->add_option("KERNEL", options->kernel.spec, "The kernel")->required();
  AddStoreOptions(*show, options->kernel);
  for (CLI::App* command : {fetch, show})
    command->add_flag("--quiet", options->kernel.quiet, "No progress");

  CLI::App* remove = add("remove", "Remove what the store holds of a kernel", &Remove);
  remove->add_option("KERNEL", options->specs, "Kernels, e.g. debian:7.0.13")->required();

  CLI::App* build =
      add("build", "Build the reference kernel from its source package or a source tree", &BuildIt);
  AddBuild(*build->footer(kBuildFooter), *options);
}

KASSAY_COMMAND(40, AddKernelCommand);

}  // namespace
}  // namespace kassay::cli
