// Where baselines are kept: one file a kernel and suite, results/baselines/KERNEL/SUITE.json, so
// that a case more touches only the files of its suite.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "harness/compare/baseline.h"

namespace kassay {

// Vendor, release (which names the flavour) and package version:
// "debian-7.0.13+deb13-cloud-amd64-7.0.13-1~bpo13+1"; a kernel without package is named by its
// release and image hash, the reference kernel by its release: "reference-7.0.13-kassay".
[[nodiscard]] std::string BaselineName(const KernelIdentity& kernel);

// What is recorded under `path` can be loaded: a .json file, the folder of a run, or a folder with
// the baselines of a kernel. Of folders the first bytes of files tell, for a kernel is named by a
// folder too.
[[nodiscard]] bool IsRecorded(const std::filesystem::path& path);

// Reads a file (a baseline or a run's results.json), the folder of a run, or a kernel's folder with
// all of its suites. Usage errors: nothing of the kind; a folder's file that is not of the suite
// that its name says, or of another kernel than the others.
[[nodiscard]] Result<Baseline> LoadBaseline(const std::filesystem::path& path);

// The folders of kernels below `folder` that hold baselines, sorted; none if it is not there.
[[nodiscard]] std::vector<std::filesystem::path> RecordedKernels(
    const std::filesystem::path& folder);

// The folder of a kernel's baselines below `folder`: by its identity when that is known, else by
// the spec or release that the user wrote. Usage error when there is none, or when what is recorded
// under this name is of another image (of the reference kernel every build is one).
[[nodiscard]] Result<std::filesystem::path> FindBaseline(const std::filesystem::path& folder,
                                                         const KernelIdentity& kernel);

// Writes `fresh` below `folder`, each suite's file whole or not at all; gives back the kernel's
// folder. What is recorded of other suites stays and must agree with it (CheckBeside), but for
// those in `recorded_next`, which are recorded anew after this.
[[nodiscard]] Result<std::filesystem::path> RecordBaseline(
    const Baseline& fresh, const std::filesystem::path& folder,
    const std::set<std::string>& recorded_next = {});

}  // namespace kassay
