#include "harness/cli/kernel_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "harness/suite/installed_suites.h"
#include "harness/suite/kernel_options.h"

namespace kassay::cli {

KernelOptions::KernelOptions(Installation& where) : installation(where) {
  store.cache_dir = installation.KernelsDir();
  store.pins_file = installation.PinsFile();
  store.kconfig_dir = installation.KconfigDir();
  store.fixtures_dir = installation.FixturesDir();
  // By reference: --suites is not parsed yet.
  store.suites_fragment = [&where]() -> Result<std::string> {
    KASSAY_TRY(const std::vector<Catalogue> catalogues, LoadCatalogues(where));
    return FeaturesFragment(catalogues);
  };
}

void AddSuitesOption(CLI::App& command, Installation& installation) {
  command
      .add_option("--suites", installation.suites_dirs,
                  "A folder of more suites beside ours: NAME/requirements.toml and the executable "
                  "NAME/NAME (may be repeated)")
      ->check(CLI::ExistingDirectory);
}

void AddKernelOptions(CLI::App& command, KernelOptions& options, bool required) {
  AddSuitesOption(command, options.installation);
  CLI::Option* kernel =
      command.add_option("--kernel", options.spec, "The kernel under test, e.g. debian:7.0.13");
  if (required) kernel->required();
  AddStoreOptions(command, options);
}

void AddStoreOptions(CLI::App& command, KernelOptions& options) {
  command.add_option("--modules", options.store.modules_dir,
                     "lib/modules/RELEASE or a build tree, for a kernel that is an image");
  command.add_option("--config", options.store.config_file,
                     "Its configuration, for a kernel that is an image");
  AddSourceOptions(command, options);
}

void AddSourceOptions(CLI::App& command, KernelOptions& options) {
  command
      .add_option("--from", options.store.from_dir,
                  "Folder with the packages; what is there is verified and used from there")
      ->check(CLI::ExistingDirectory);
  command.add_option("--mirror", options.store.mirror,
                     "Root of a package mirror (http, https or file address); without it the one "
                     "that apt is configured for");
}

KernelStore StoreOf(const KernelOptions& options) {
  StoreOptions store = options.store;
  if (!options.quiet && ::isatty(STDERR_FILENO) != 0) {
    store.on_progress = [](const FetchProgress& progress) {
      const auto percent = progress.total == 0 ? 100 : progress.done * 100 / progress.total;
      std::cerr << fmt::format("\r\033[K{:3}%  {}", percent, progress.file)
                << (progress.done == progress.total ? "\r\033[K" : "") << std::flush;
    };
  }
  return KernelStore(std::move(store));
}

Result<Kernel> ResolveKernel(const KernelOptions& options) {
  return StoreOf(options).Resolve(options.spec);
}

}  // namespace kassay::cli
