#include "harness/cli/run_options.h"

#include "harness/profile/profile.h"

namespace kassay::cli {

void AddCpuFlag(CLI::App& command, MachineFlags& flags) {
  command
      .add_option(
          "--cpu", flags.cpu,
          "The machine's CPU model, as QEMU's -cpu takes it (`qemu64`, `max,+svm`); without "
          "it what the profile says, else `max`: with KVM that is this machine's own")
      ->check([](const std::string& model) {
        const std::string why = WhyNotCpuModel(model);
        return why.empty() ? why : "'" + model + "' " + why;
      });
}

void AddMachineFlags(CLI::App& command, MachineFlags& flags) {
  command
      .add_option("--accel", flags.accelerator,
                  "`kvm`, `tcg` (emulation), or `auto`: KVM if it boots this kernel")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
  AddCpuFlag(command, flags);
  command
      .add_option("--boot", flags.boot,
                  "`direct` (quick) or `bzimage` (the image as shipped, through the firmware; not "
                  "for a vmlinux); without it what the profile says")
      ->check(CLI::IsMember({"direct", "bzimage"}));
}

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
      .add_option("--isolation", flags.run.isolation,
                  "A fresh kernel for each `case`, or for each `suite` (faster, less strict)")
      ->check(CLI::IsMember({"case", "suite"}))
      ->capture_default_str();
  AddMachineFlags(command, flags.machine);
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

}  // namespace kassay::cli
