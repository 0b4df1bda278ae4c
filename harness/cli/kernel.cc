// kassay kernel list|fetch|show|remove: the kernels that this machine has and can get.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "harness/cli/command.h"
#include "harness/cli/kernel_options.h"
#include "harness/kernel/modules.h"
#include "harness/kernel/store.h"

namespace kassay::cli {
namespace {

constexpr const char* kFooter = R"(A kernel is named by
  debian:7.0.13                           a pinned kernel (see `kassay kernel list`)
  A.deb[,B.deb...]   A.rpm[,B.rpm...]     packages: image or binary, modules, base
  image:FILE[,modules=DIR][,config=FILE]  a bzImage or vmlinux
  FILE                                    the same, with --modules and --config
  DIR                                     a kernel build tree, or unpacked packages

Examples:
  kassay kernel list
  kassay kernel fetch debian:7.0.13
  kassay kernel fetch --all --from /media/debs
  kassay kernel show ~/src/linux
  kassay kernel remove debian:7.0.13

Exit codes: 0 done, 2 wrong usage or unknown kernel, 3 could not be done, 130 interrupted.)";

struct Options {
  explicit Options(Installation& installation) : store(StoreOf(installation)) {}

  StoreOptions store;
  std::vector<std::string> specs;
  bool all = false;
  bool source = false;
  bool quiet = false;
};

std::string Mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

// One line, rewritten as the download goes on; only where a person watches.
void ShowProgressOnTerminal(Options& options) {
  if (options.quiet || ::isatty(STDERR_FILENO) == 0) return;
  options.store.on_progress = [last = std::string()](const FetchProgress& progress) mutable {
    const auto percent = progress.total == 0 ? 100 : progress.done * 100 / progress.total;
    const std::string line =
        fmt::format("{:3}% of {:>9}  {}", percent, Mebibytes(progress.total), progress.file);
    if (line == last) return;
    last = line;
    std::cerr << "\r\033[K" << line << (progress.done == progress.total ? "\n" : "") << std::flush;
  };
}

ExitCode List(const Options& options) {
  const auto stored = KernelStore(options.store).Stored();
  if (!stored) return Report(stored.error());
  std::cout << fmt::format("{:<18} {:<30} {:<9} {:>11} {:>11}\n", "KERNEL", "RELEASE", "STATE",
                           "PACKAGES", "UNPACKED");
  for (const StoredKernel& kernel : *stored) {
    std::uint64_t download = 0;
    for (const auto& file : kernel.pin.files) download += file.size;
    const bool begun = kernel.packages_bytes > 0;
    const char* state = kernel.unpacked ? "ready" : begun ? "partly" : "to fetch";
    std::cout << fmt::format("{:<18} {:<30} {:<9} {:>11} {:>11}\n", kernel.pin.Spec(),
                             kernel.pin.release, state, Mebibytes(download),
                             kernel.unpacked ? Mebibytes(kernel.tree_bytes) : "-");
  }
  return ExitCode::kConformant;
}

ExitCode FetchAll(Options& options) {
  ShowProgressOnTerminal(options);
  const KernelStore store(options.store);
  if (options.all) {
    const auto pins = store.Pinned();
    if (!pins) return Report(pins.error());
    for (const auto& pin : *pins) options.specs.push_back(pin.Spec());
  }
  if (options.specs.empty()) {
    return Report({"name a kernel, e.g. 'kassay kernel fetch debian:7.0.13', or give --all",
                   ErrorKind::kUsage});
  }
  for (const std::string& spec : options.specs) {
    const auto kernel = store.Resolve(spec);
    if (!kernel) return Report(kernel.error());
    std::cout << spec << " is ready: " << kernel->image.string() << "\n";
    if (!options.source) continue;
    const auto pin = store.Pinned(spec);
    if (!pin) return Report(pin.error());
    if (pin->source.empty()) return Report({"no source package is pinned for " + spec});
    const auto files = store.Fetch(pin->source);
    if (!files) return Report(files.error());
    for (const auto& file : *files) std::cout << spec << " source: " << file.string() << "\n";
  }
  return ExitCode::kConformant;
}

void ShowLine(const char* key, const std::string& value) {
  std::cout << fmt::format("{:<16} {}\n", key, value.empty() ? "-" : value);
}

ExitCode Show(Options& options) {
  ShowProgressOnTerminal(options);
  const auto kernel = KernelStore(options.store).Resolve(options.specs.at(0));
  if (!kernel) return Report(kernel.error());
  const auto modules = ModuleTree::Open(kernel->modules_dir);
  if (!modules) return Report(modules.error());
  const KernelIdentity& identity = kernel->identity;
  ShowLine("spec", identity.spec);
  ShowLine("release", identity.release);
  ShowLine("version", identity.version);
  ShowLine("vendor", identity.vendor);
  ShowLine("package", identity.package);
  ShowLine("package version", identity.package_version);
  ShowLine("image", kernel->image.string());
  ShowLine("image SHA-256", identity.image_sha256);
  ShowLine("modules", kernel->modules_dir.string());
  ShowLine("modules count", std::to_string(modules->All().size()));
  ShowLine("modules SHA-256", identity.modules_sha256);
  ShowLine("config", kernel->config_file.string());
  ShowLine("config SHA-256", identity.config_sha256);
  return ExitCode::kConformant;
}

ExitCode Remove(const Options& options) {
  const KernelStore store(options.store);
  for (const std::string& spec : options.specs) {
    const auto pin = store.Pinned(spec);
    if (!pin) return Report(pin.error());
    const auto freed = store.Remove(*pin);
    if (!freed) return Report(freed.error());
    std::cout << spec << " removed from the store, " << Mebibytes(*freed) << " freed\n";
  }
  return ExitCode::kConformant;
}

void AddSourceOptions(CLI::App& command, Options& options) {
  command
      .add_option("--from", options.store.from_dir,
                  "Folder with the packages; what is there is verified and used from there")
      ->check(CLI::ExistingDirectory);
  command.add_option("--mirror", options.store.mirror,
                     "Root of a package mirror (http, https or file address); without it the one "
                     "that apt is configured for");
  command.add_flag("--quiet", options.quiet, "No progress");
}

void AddKernelCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(context.installation);
  CLI::App* kernel = app.add_subcommand("kernel", "Fetch, list, show and remove kernels");
  kernel->require_subcommand(1);
  kernel->footer(kFooter);

  CLI::App* list = kernel->add_subcommand("list", "The pinned kernels and which of them are here");
  list->footer(kFooter);
  list->callback([options, &context] { context.exit_code = List(*options); });

  CLI::App* fetch = kernel->add_subcommand(
      "fetch", "Fetch, verify (size and SHA-256) and unpack kernels; downloads resume");
  fetch->footer(kFooter);
  fetch->add_option("KERNEL", options->specs, "Kernels, e.g. debian:7.0.13");
  fetch->add_flag("--all", options->all, "Every pinned kernel");
  fetch->add_flag("--source", options->source, "Their source packages too");
  AddSourceOptions(*fetch, *options);
  fetch->callback([options, &context] { context.exit_code = FetchAll(*options); });

  CLI::App* show = kernel->add_subcommand("show", "A kernel's identity, files and hashes");
  show->footer(kFooter);
  show->add_option("KERNEL", options->specs, "The kernel")->required()->expected(1);
  show->add_option("--modules", options->store.modules_dir,
                   "lib/modules/RELEASE or a build tree, for a kernel that is an image");
  show->add_option("--config", options->store.config_file,
                   "Its configuration, for a kernel that is an image");
  AddSourceOptions(*show, *options);
  show->callback([options, &context] { context.exit_code = Show(*options); });

  CLI::App* remove = kernel->add_subcommand("remove", "Remove what the store holds of a kernel");
  remove->footer(kFooter);
  remove->add_option("KERNEL", options->specs, "Kernels, e.g. debian:7.0.13")->required();
  remove->callback([options, &context] { context.exit_code = Remove(*options); });
}

KASSAY_COMMAND(40, AddKernelCommand);

}  // namespace
}  // namespace kassay::cli
