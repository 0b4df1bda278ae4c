// kassay bisect: the first of the pinned kernels on which a case does not hold.
#include "harness/compare/bisect.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/one_run.h"

namespace kassay::cli {
namespace {

constexpr const char* kFooter =
    R"(Over the pinned kernels between the two, by version. To find what fixed a case, name the newer one
as --good. A kernel that cannot tell (absent, unmet, error) is passed over. With --repeat a kernel
is good only if every attempt passes.

Over a git tree, `git bisect run` does the walking: see ci/templates/git-bisect-run.sh.

Examples:
  kassay bisect --case mount.Nullfs.TakesNoFileLocks --good debian:7.0.13 --bad debian:7.2.12
  kassay bisect --case io_uring.Exec.KeepsTheListAfterARingWasUsed --good debian:7.3.4 \
      --bad debian:7.0.13

Exit codes: 0 found, 2 wrong usage (the ends are not as said), 3 could not test, 5 an end comes up
in no machine, 130 interrupted.)";

struct Options {
  RunFlags flags;
  std::string case_id;
  std::string good;
  std::string bad;
};

KernelVersion VersionOf(const PinnedKernel& pin) {
  return ParseKernelVersion(pin.release).value_or(KernelVersion{});
}

bool IsOlder(const PinnedKernel& a, const PinnedKernel& b) { return VersionOf(a) < VersionOf(b); }

// The pinned kernels from one end to the other, the good end first.
Result<std::vector<PinnedKernel>> RowOf(const Options& options) {
  const KernelStore store(options.flags.kernel.store);
  KASSAY_TRY(std::vector<PinnedKernel> pins, store.Pinned());
  KASSAY_TRY(const PinnedKernel good, store.Pinned(options.good));
  KASSAY_TRY(const PinnedKernel bad, store.Pinned(options.bad));
  std::ranges::sort(pins, IsOlder);
  const auto low = std::min(VersionOf(good), VersionOf(bad));
  const auto high = std::max(VersionOf(good), VersionOf(bad));
  std::erase_if(pins,
                [&](const auto& pin) { return VersionOf(pin) < low || high < VersionOf(pin); });
  if (IsOlder(bad, good)) std::ranges::reverse(pins);
  return pins;
}

Result<CaseStanding> Ask(const PinnedKernel& pin, const Options& options) {
  RunFlags flags = options.flags;
  const size_t dot = options.case_id.find('.');
  flags.run.suites = {options.case_id.substr(0, dot)};
  flags.run.filters = {options.case_id.substr(dot + 1)};
  KASSAY_TRY(const RunResult run, RunOneKernel(flags, pin.Spec()));
  const auto found = std::ranges::find(run.cases, options.case_id, &CaseResult::Id);
  if (found == run.cases.end())
    return Fail("no result of " + options.case_id + "; see `kassay list cases`", ErrorKind::kUsage);
  std::cout << fmt::format("{:<20} {}{}{}\n", pin.Spec(), ToString(found->verdict),
                           found->reason.empty() ? "" : ": ", found->reason)
            << std::flush;
  const bool flaky = found->attempts > 1 && found->passes < found->attempts && found->passes > 0;
  return flaky ? CaseStanding::kBad : CaseStandingOf(found->verdict);
}

Result<ExitCode> Find(const Options& options) {
  if (options.case_id.find('.') == std::string::npos)
    return Fail("name the case as SUITE.GROUP.CASE; see `kassay list cases`", ErrorKind::kUsage);
  KASSAY_TRY(const std::vector<PinnedKernel> row, RowOf(options));
  const auto found = Bisect(row.size(), [&](size_t i) { return Ask(row[i], options); });
  if (!found) return Fail(found.error().Within("bisect"));
  const std::string good = row[found->last_good].Spec();
  const std::string bad = row[found->first_bad].Spec();
  std::cout << (IsOlder(row[found->last_good], row[found->first_bad])
                    ? fmt::format("{} broke between the two: it passes on {} and does not on {}",
                                  options.case_id, good, bad)
                    : fmt::format("{} was fixed between the two: it does not pass on {} and does "
                                  "on {}",
                                  options.case_id, bad, good))
            << fmt::format(" ({} of {} kernels were run)\n", found->asked, row.size());
  for (const size_t i : found->untold)
    std::cout << fmt::format("{} lies between them and could not tell\n", row[i].Spec());
  return ExitCode::kConformant;
}

void AddBisectCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{{context.installation}});
  CLI::App* command =
      app.add_subcommand("bisect", "Find the kernel since which a case does not hold");
  command->footer(kFooter);
  command->add_option("--case", options->case_id, "SUITE.GROUP.CASE")->required();
  command->add_option("--good", options->good, "A pinned kernel on which it passes")->required();
  command->add_option("--bad", options->bad, "A pinned kernel on which it does not")->required();
  command->add_option("--from", options->flags.kernel.store.from_dir, "A folder with the packages");
  command->add_option("--repeat", options->flags.run.repeat, "How often the case runs a kernel")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command
      ->add_option("--limit-scale", options->flags.run.limit_scale,
                   "Multiplies every time limit, for slow machines")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str();
  AddCpuFlag(*command, options->flags.machine);
  command->add_option("--boot", options->flags.machine.boot, "`direct` or `bzimage`")
      ->check(CLI::IsMember({"direct", "bzimage"}));
  command->callback([options, &context] { context.Finish(Find(*options)); });
}

KASSAY_COMMAND(34, AddBisectCommand);

}  // namespace
}  // namespace kassay::cli
