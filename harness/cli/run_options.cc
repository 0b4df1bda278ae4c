#include "harness/cli/run_options.h"

#include <chrono>
#include <cmath>

namespace kassay::cli {

void AddRunFlags(CLI::App& command, RunFlags& flags) {
  command
      .add_option("--suite", flags.run.suites,
                  "Only these suites (may be repeated); without it all")
      ->delimiter(',');
  command.add_option("--case", flags.run.filters,
                     "Only cases that match, in GoogleTest's filter language: 'TaskFilter.*', "
                     "'A.*:B.*-*.Slow' (may be repeated)");
  command.add_option("--profile", flags.run.profile,
                     "Boot vm/profiles/NAME.toml instead of the suites' own profiles");
  command.add_option("--jobs", flags.run.jobs, "Machines at a time; without it one a CPU")
      ->check(CLI::Range(1, 256));
  command
      .add_option("--isolation", flags.isolation,
                  "A fresh kernel for each `case`, or for each `suite` (faster, less strict)")
      ->check(CLI::IsMember({"case", "suite"}))
      ->capture_default_str();
  command
      .add_option("--accel", flags.accelerator,
                  "`kvm`, `tcg` (emulation), or `auto`: KVM if it boots this kernel")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
  command
      .add_option("--boot", flags.run.vm.boot,
                  "`direct` (quick) or `bzimage` (the image as shipped, through the firmware; not "
                  "for a vmlinux); without it what the profile says")
      ->check(CLI::IsMember({"direct", "bzimage"}));
  command.add_option("--repeat", flags.run.repeat, "How often each case runs")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command
      .add_option("--limit-scale", flags.run.limit_scale,
                  "Multiplies every case's time limit and that of a boot, for slow machines")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str();
  command
      .add_option("--headers", flags.headers,
                  "The kernel's headers, for suites that look at them: linux-headers-RELEASE or a "
                  "build tree; without it those of a pinned kernel or of the build tree itself")
      ->check(CLI::ExistingDirectory);
}

Result<RunOptions> RunOptionsOf(const RunFlags& flags, const KernelOptions& kernel) {
  RunOptions options = flags.run;
  options.isolation = flags.isolation == "suite" ? Isolation::kSuite : Isolation::kCase;
  KASSAY_TRY(options.vm.accelerator, ParseAccelerator(flags.accelerator));
  options.vm.boot_limit = std::chrono::seconds(
      std::lround(static_cast<double>(options.vm.boot_limit.count()) * options.limit_scale));
  options.headers_dir = [headers = flags.headers, kernel]() -> Result<std::filesystem::path> {
    if (!headers.empty()) return std::filesystem::path(headers);
    return KernelStore(kernel.store).Headers(kernel.spec);
  };
  return options;
}

}  // namespace kassay::cli
