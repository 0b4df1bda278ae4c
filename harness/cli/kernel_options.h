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
  explicit KernelOptions(Installation& where);

  Installation* installation;  // never null; lives as long as the program
  std::string spec;
  StoreOptions store;
  bool quiet = false;  // no progress of downloads
};

// What the installation gives to a store: its folders, pins, fragments and the suites' wishes.
[[nodiscard]] StoreOptions StoreOf(const Installation& installation);

// --suites
void AddSuitesOption(CLI::App& command, Installation& installation);

// --suites, --kernel (required if asked), --modules, --config, --from, --mirror.
void AddKernelOptions(CLI::App& command, KernelOptions& options, bool required);
// The same without --kernel.
void AddStoreOptions(CLI::App& command, KernelOptions& options);

// Fetches what is missing, with a progress line where a person watches.
[[nodiscard]] Result<Kernel> ResolveKernel(const KernelOptions& options);

inline constexpr const char* kKernelSpecs = R"(A kernel is named by
  debian:7.0.13                           a pinned kernel (see `kassay list kernels`)
  A.deb[,B.deb...]   A.rpm[,B.rpm...]     packages: image or binary, modules, base
  image:FILE[,modules=DIR][,config=FILE]  a bzImage or vmlinux
  FILE                                    the same, with --modules and --config
  DIR                                     a kernel build tree, or unpacked packages)";

}  // namespace kassay::cli
