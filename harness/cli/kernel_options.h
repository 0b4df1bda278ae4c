// The options that name a kernel under test and where it comes from, for every subcommand that
// takes one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "harness/base/installation.h"
#include "harness/base/result.h"
#include "harness/kernel/store.h"

namespace kassay::cli {

struct KernelOptions {
  // The store has the installation's folders, pins, fragments and its suites' wishes.
  KernelOptions(Installation& where);

  Installation& installation;  // lives as long as the program
  std::string spec;
  StoreOptions store;
  bool quiet = false;  // no progress of downloads
};

// --suites
void AddSuitesOption(CLI::App& command, Installation& installation);

// --suites, --kernel (required if asked), --modules, --config, --from, --mirror.
void AddKernelOptions(CLI::App& command, KernelOptions& options, bool required);
// --modules, --config, --from, --mirror.
void AddStoreOptions(CLI::App& command, KernelOptions& options);
// --from, --mirror.
void AddSourceOptions(CLI::App& command, KernelOptions& options);

// The store that fetches what is missing, with a progress line where a person watches.
[[nodiscard]] KernelStore StoreOf(const KernelOptions& options);
// The kernel of options.spec.
[[nodiscard]] Result<Kernel> ResolveKernel(const KernelOptions& options);

inline constexpr const char* kKernelSpecs = R"(A kernel is named by
  debian:7.0.13                           a pinned kernel (see `kassay list kernels`)
  A.deb[,B.deb...]   A.rpm[,B.rpm...]     packages: image or binary, modules, base
  A.pkg.tar.zst      A.tar                pacman's packages; archives of `make tar-pkg`
  image:FILE[,modules=DIR][,config=FILE]  a bzImage or vmlinux
  FILE                                    the same, with --modules and --config
  DIR                                     a kernel build tree, or unpacked packages)";

}  // namespace kassay::cli
