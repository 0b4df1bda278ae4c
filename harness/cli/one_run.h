// One kernel run from beginning to end, for the subcommands that run kernels besides `kassay run`.
#pragma once

#include <filesystem>
#include <string>

#include "harness/base/result.h"
#include "harness/cli/run_options.h"
#include "harness/report/html/html.h"
#include "harness/result/run_result.h"

namespace kassay::cli {

// A run of this kernel, with its progress on standard error unless it is to be quiet.
[[nodiscard]] Result<RunResult> RunShown(const Kernel& kernel, const RunFlags& flags,
                                         bool quiet = false);

// Fetches the kernel of `spec`, runs, and leaves the result folder (flags.run.out_dir, or one below
// out/); progress goes to standard error. An interrupted run is an error.
[[nodiscard]] Result<RunResult> RunOneKernel(RunFlags flags, const std::string& spec);

// The texts of the requirements of these suites, as installed; a suite that is not is passed over.
[[nodiscard]] HtmlContext TextsOf(const Installation& installation,
                                  const std::vector<std::string>& suites);

// results.json and its kin, report.html; and takes the run up into the history. What the history
// cannot take is said on standard error and is no error.
[[nodiscard]] Status LeaveResults(const Installation& installation,
                                  const std::filesystem::path& folder, const RunResult& run,
                                  const HtmlContext& context);

// Writes to a file, or to standard output if its name is empty.
[[nodiscard]] Status Emit(const std::string& text, const std::filesystem::path& file);

}  // namespace kassay::cli
