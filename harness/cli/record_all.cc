#include "harness/cli/record_all.h"

#include <fmt/format.h>

#include <iostream>
#include <set>

#include "harness/base/interrupt.h"
#include "harness/cli/command.h"
#include "harness/cli/one_run.h"
#include "harness/compare/baseline_files.h"
#include "harness/compare/compare_text.h"
#include "harness/compare/record_plan.h"
#include "harness/kernel/build.h"

namespace kassay::cli {
namespace {

Result<std::vector<std::string>> KnownKernels(const StoreOptions& store) {
  std::vector<std::string> specs;
  KASSAY_TRY(const auto pins, KernelStore(store).Pinned());
  for (const PinnedKernel& pin : pins) specs.push_back(pin.Spec());
  KASSAY_TRY(const auto references, BuiltReferences(store));
  specs.insert(specs.end(), references.begin(), references.end());
  return specs;
}

// What the step's run says, beside what was recorded before.
Result<std::string> RecordStepOf(const RecordStep& step, const std::set<std::string>& recorded_next,
                                 const RecordAllOptions& options) {
  KernelOptions kernel = options.kernel;
  kernel.spec = step.kernel;
  RunFlags flags = options.flags;
  flags.run.suites = {step.suite};
  KASSAY_TRY(const OneRun one, RunOneKernel(kernel, flags));
  KASSAY_CHECK(CheckRecordable(one.result));
  const Baseline fresh = BaselineOf(one.result);
  const auto file = options.folder / BaselineName(fresh.kernel) / (step.suite + ".json");
  const auto before = LoadBaseline(file);
  KASSAY_CHECK(RecordBaseline(fresh, options.folder, recorded_next));
  return before ? Summary(Compare(*before, fresh))
                : fmt::format("{} cases, recorded for the first time", fresh.cases.size());
}

void Print(const RecordStep& step, const std::string& text) {
  std::cout << fmt::format("{:<22} {:<18} {}\n", step.kernel, step.suite, text) << std::flush;
}

Error InterruptedBefore(const std::vector<RecordStep>& left, const RecordAllOptions& options) {
  std::string how = "; the same command goes on";
  if (options.force) {
    how = "; go on with:";
    for (const std::string& command : CommandsFor(left)) how += "\n  " + command;
  }
  return {fmt::format("interrupted; {} baselines are left{}", left.size(), how),
          ErrorKind::kInterrupted};
}

}  // namespace

Result<ExitCode> RecordAll(RecordAllOptions options) {
  const RunOptions& run = options.flags.run;
  const Installation& installation = *options.kernel.installation;
  RecordPlanOptions plan{options.folder, options.kernels, run.suites, options.force};
  if (plan.kernels.empty()) {
    KASSAY_TRY(plan.kernels, KnownKernels(options.kernel.store));
  }
  if (plan.suites.empty()) {
    KASSAY_TRY(plan.suites, InstalledSuites(installation));
  }
  KASSAY_TRY(const std::vector<RecordStep> steps, PlanRecording(plan, installation));
  for (const RecordStep& step : steps) Print(step, step.why);
  std::cout << fmt::format("{} of {} baselines to record\n", steps.size(),
                           plan.kernels.size() * plan.suites.size())
            << std::flush;
  ExitCode code = ExitCode::kConformant;
  for (auto step = steps.begin(); step != steps.end() && !options.dry_run; ++step) {
    std::set<std::string> recorded_next;
    for (auto next = step + 1; next != steps.end(); ++next)
      if (next->kernel == step->kernel) recorded_next.insert(next->suite);
    const auto recorded = RecordStepOf(*step, recorded_next, options);
    if (recorded) {
      Print(*step, *recorded);
    } else if (Interrupted() || recorded.error().kind == ErrorKind::kInterrupted) {
      return Fail(InterruptedBefore({step, steps.end()}, options));
    } else {
      code = Report(recorded.error());
    }
  }
  return code;
}

}  // namespace kassay::cli
