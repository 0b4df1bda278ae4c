// The reference kernels, built here from a pinned source package. The full one has the fragments of
// vm/kconfig and trusts the fixtures' certificates. The minimal one is tinyconfig with what kassay
// itself and the suites and features name, and nothing else: a case that fails there relies on
// something that nobody named. Out of tree, resumable (make goes on where it was stopped), and kept
// under a name made from everything that goes into it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/store.h"

namespace kassay {

struct BuildProgress {
  std::string stage;  // "source", "config", "compile", "install"
  int objects = 0;    // compiled so far, those of an earlier attempt not included
  std::string line;   // make's own, without indentation
};

struct BuildOptions {
  std::string version = "7.0";   // a pinned kernel's name that begins so has the source
  std::string variant;           // "minimal"; empty for the full one
  std::filesystem::path source;  // instead: a linux-source .deb or a kernel source tree
  int jobs = 0;                  // of make; 0 for one a CPU
  std::function<void(const BuildProgress&)> on_progress;  // may be empty
};

// Of "7.0" or "7.0/minimal", as `reference:` names it.
[[nodiscard]] BuildOptions ReferenceBuild(std::string_view name);

struct BuiltKernel {
  std::filesystem::path root;  // lib/modules/RELEASE with vmlinuz, config and signed modules
  std::filesystem::path log;   // what make said
  bool was_there = false;      // nothing had to be done
  // Options of the fragments that this source does not take as they are asked for: "CONFIG_X=y
  // (40-trust.config)".
  std::vector<std::string> unmet;
};

// Builds, or finds what was built. On an error the half-built tree stays for the next attempt and
// the message names the log. A fragment's option that the pinned source does not take is an error;
// with a source of the user's own it is told in `unmet`.
[[nodiscard]] Result<BuiltKernel> BuildKernel(const StoreOptions& store,
                                              const BuildOptions& options);

// The kernel that BuildKernel() left for a pinned source, without building; fails with the command
// that builds it.
[[nodiscard]] Result<std::filesystem::path> FindBuiltKernel(const StoreOptions& store,
                                                            const BuildOptions& options);

// The specs of the reference kernels that were built here of a pinned source: "reference:7.0",
// "reference:7.0/minimal".
[[nodiscard]] Result<std::vector<std::string>> BuiltReferences(const StoreOptions& store);

// The build tree that the kernel below `root` came from: modules for it are compiled against it.
[[nodiscard]] std::filesystem::path BuildTreeOf(const std::filesystem::path& root);

}  // namespace kassay
