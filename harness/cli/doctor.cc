// kassay doctor: what this machine can do, and the command that mends what it cannot.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <thread>

#include "harness/base/process/program.h"
#include "harness/cli/command.h"
#include "harness/cli/labs.h"
#include "harness/run/run.h"
#include "harness/suite/selection.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProfile = "stock";

constexpr const char* kFooter =
    R"(KVM is proven by booting the kernel, for a /dev/kvm that opens may still not work.

Examples:
  kassay doctor
  kassay doctor --kernel debian:7.3.4
  kassay doctor --no-boot

Exit codes: 0 kassay can work here, 2 wrong usage, 3 something is missing (each with its remedy).)";

struct Options {
  KernelOptions kernel;
  MachineFlags machine;
  bool no_boot = false;
};

class Doctor {
 public:
  explicit Doctor(const Options& options) : options_(options) {}

  Result<ExitCode> Examine() {
    Good(fmt::format("{} CPUs, {} machines at a time", std::thread::hardware_concurrency(),
                     DefaultJobs()));
    Memory();
    Disk();
    Packages();
    if (Qemu() && Suites() && !options_.no_boot) KASSAY_CHECK(Boot());
    std::cout << (can_work_ ? "kassay can work here\n" : "kassay cannot work here yet\n");
    return can_work_ ? ExitCode::kConformant : ExitCode::kCouldNotTest;
  }

 private:
  [[nodiscard]] const Installation& Here() const { return options_.kernel.installation; }
  void Say(const char* mark, const std::string& what, const std::string& remedy = "") {
    std::cout << fmt::format("{:<5} {}\n", mark, what);
    if (!remedy.empty()) std::cout << "      mend it with: " << remedy << "\n";
    std::cout << std::flush;
  }
  void Good(const std::string& what) { Say("ok", what); }
  void Warn(const std::string& what, const std::string& remedy = "") { Say("note", what, remedy); }
  void Bad(const std::string& what, const std::string& remedy = "") {
    can_work_ = false;
    Say("BAD", what, remedy);
  }

  void Memory() {
    const long free_pages_mib = sysconf(_SC_AVPHYS_PAGES) / 1024 * sysconf(_SC_PAGESIZE) / 1024;
    const long available = AvailableMemoryMib().value_or(free_pages_mib);
    if (available < 700) {
      Bad(fmt::format("only {} MiB of memory are free; a machine takes up to 700", available),
          "free some memory");
    } else {
      Good(fmt::format("{} MiB of memory are free", available));
    }
  }

  void Disk() {
    const fs::path& cache = Here().cache_dir;
    std::error_code error;
    fs::create_directories(cache, error);
    const auto free_mib = error ? 0 : fs::space(cache, error).available >> 20U;
    if (error || ::access(cache.c_str(), W_OK) != 0) {
      return Bad(fmt::format("the cache {} cannot be written", cache.string()),
                 "export KASSAY_CACHE_DIR=/a/folder/of/yours");
    }
    const std::string what = fmt::format("{} MiB are free in {}", free_mib, cache.string());
    if (free_mib < 2048) {
      Bad(what + "; a kernel with its snapshots takes about 1000",
          "export KASSAY_CACHE_DIR=/a/folder/with/room");
    } else {
      Good(what);
    }
  }

  // The build host's packages, as ci/install judges them: its lines are "KIND PACKAGE".
  void Packages() {
    const fs::path install = Here().data_dir / "ci" / "install";
    std::error_code ignored;
    if (!fs::exists(install, ignored)) return;  // an installation without the source tree
    const auto outcome = RunProgram({.argv = {install, "--list-missing"}});
    if (!outcome || !outcome->ending.Succeeded()) {
      const std::string why = outcome ? outcome->standard_error : outcome.error().message;
      return Warn("which packages are missing is not known: " + why.substr(0, why.find('\n')));
    }
    std::map<std::string, std::string> missing;
    std::istringstream lines(outcome->standard_output);
    std::string kind;
    std::string package;
    while (lines >> kind >> package) missing[kind] += " " + package;
    if (missing.empty()) return Good("all packages of ci/packages.txt are installed");
    const std::string source =
        fs::canonical(Here().data_dir / "ci", ignored).parent_path().string();
    if (missing.contains("needed"))
      Bad("needed packages are missing:" + missing["needed"], source + "/ci/install --to-run");
    if (missing.contains("optional"))
      Warn("optional packages are missing:" + missing["optional"], source + "/ci/install --to-run");
    if (missing.contains("develop"))
      Warn("packages for work on kassay itself are missing:" + missing["develop"],
           source + "/ci/install");
  }

  bool Qemu() {
    const auto carrier = WhatCarriesMachines();
    if (carrier) {
      Good(*carrier);
    } else {
      Bad(carrier.error().message, "apt-get install -y --no-install-recommends qemu-system-x86");
    }
    if (const Status firmware = UefiIsThere(); firmware) {
      Good("UEFI firmware is installed");
    } else {
      Bad(firmware.error().message);
    }
    return carrier.has_value();
  }

  bool Suites() {
    const auto suites = InstalledSuites(Here());
    if (suites) {
      Good(fmt::format("{} suites are built", suites->size()));
    } else {
      Bad(suites.error().message, "cmake --preset default && cmake --build build");
    }
    return suites.has_value();
  }

  Status Boot() {
    const auto facts = Prove();
    // That says nothing about this machine.
    if (!facts && facts.error().kind == ErrorKind::kUsage) return Fail(facts.error());
    if (!facts) {
      Bad(facts.error().message);
      return {};
    }
    Good(fmt::format("{} boots in {:.1f} s", options_.kernel.spec,
                     static_cast<double>(facts->boot_time.count()) / 1000));
    if (facts->why_slow.empty()) {
      Good(fmt::format("KVM works: it booted {}", options_.kernel.spec));
    } else {
      Warn(fmt::format("emulation is used: {}", facts->why_slow), KvmRemedy());
      Good("cases run under emulation, some 1 s each");
    }
    return {};
  }

  Result<TargetFacts> Prove() {
    KASSAY_TRY(VmLabOptions machines, MachinesOf(options_.kernel, options_.machine));
    machines.keeping = Keeping::kNothing;
    machines.vm.kvm_anew = true;
    VmLab lab(std::move(machines));
    KASSAY_CHECK(lab.Ready({kProfile}));
    KASSAY_TRY(const std::unique_ptr<Guest> guest, lab.Fresh(kProfile, {}));
    return lab.Facts().at(kProfile);
  }

  const Options& options_;
  bool can_work_ = true;
};

void AddDoctorCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{context.installation});
  options->kernel.spec = "debian:7.0.13";
  CLI::App* command = app.add_subcommand(
      "doctor", "What this machine can do, and the command that mends what it cannot");
  command->footer(kFooter);
  AddKernelOptions(*command, options->kernel, /*required=*/false);
  AddCpuFlag(*command, options->machine);
  command
      ->add_option("--boot", options->machine.boot,
                   "`direct` or `bzimage`; without it the profile's")
      ->check(CLI::IsMember({"direct", "bzimage"}));
  command->add_flag("--no-boot", options->no_boot, "Do not boot anything: KVM is not proven then");
  command->callback([options, &context] { context.Finish(Doctor(*options).Examine()); });
}

KASSAY_COMMAND(60, AddDoctorCommand);

}  // namespace
}  // namespace kassay::cli
