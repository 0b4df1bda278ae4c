// What CTest calls (harness/cmake/KassayConformance.cmake): hidden from --help, for nobody types
// it.
//
//   kassay ctest-script ...    the CMake text that makes each case of a suite a test of its own
//   kassay ctest-prepare ...   the fixture: kernel, snapshot and probes
//   kassay ctest-case ...      one case. 0: pass, or a known bug of this version; 77: absent or
//                              unmet, which CTest shows as skipped; 1: anything else
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "harness/base/file.h"
#include "harness/cli/command.h"
#include "harness/cli/labs.h"
#include "harness/report/printable.h"
#include "harness/suite/selection.h"
#include "harness/verdict/conclude.h"

namespace kassay::cli {
namespace fs = std::filesystem;
namespace {

constexpr ExitCode kSkipped{77};
// What a case costs beside its own time limit, on a slow and busy machine, in seconds.
constexpr int kOverheadSeconds = 240;

struct Options {
  RunFlags flags;
  std::string suite;
  std::string case_name;
  std::string prefix = "conformance";
  std::string needs;  // a fixture that ctest-prepare needs; empty for none
  fs::path dir;       // belongs to one suite and kernel; ctest-prepare fills it
  fs::path output;    // of ctest-script
};

// A bracket argument of CMake: nothing in it is special.
std::string Quoted(const std::string& text) { return "[==[" + text + "]==]"; }

std::string TestsOf(const Suite& suite, const Options& options) {
  const std::string& name = suite.catalogue.suite;
  const std::string program = fs::read_symlink("/proc/self/exe").string();
  const std::string fixture = options.prefix + "." + name;
  std::string script = "# Made by kassay ctest-script; made again when the suite changes.\n";
  const auto add = [&](const std::string& test, const char* command, const std::string& more,
                       const std::string& properties) {
    script += fmt::format("add_test({} {} {} --kernel {} --suite {} --dir {}{})\n", Quoted(test),
                          Quoted(program), command, Quoted(options.flags.kernel.spec), Quoted(name),
                          Quoted(options.dir.string()), more);
    script += fmt::format("set_tests_properties({} PROPERTIES LABELS {} {})\n", Quoted(test),
                          Quoted(options.prefix), properties);
  };
  const std::string setup = options.prefix + ".prepare." + name;
  add(setup, "ctest-prepare", "",
      fmt::format("FIXTURES_SETUP {} TIMEOUT 3600{}", Quoted(fixture),
                  options.needs.empty() ? "" : " FIXTURES_REQUIRED " + Quoted(options.needs)));
  for (const ListedCase& listed : suite.list.cases) {
    add(fixture + "." + listed.name, "ctest-case", " --case " + Quoted(listed.name),
        fmt::format("FIXTURES_REQUIRED {} SKIP_RETURN_CODE {} TIMEOUT {}", Quoted(fixture),
                    static_cast<int>(kSkipped), listed.timeout_s + kOverheadSeconds));
  }
  return script;
}

Result<ExitCode> Script(Options& options) {
  KASSAY_TRY(const Suite suite, LoadSuite(options.flags.kernel.installation, options.suite));
  KASSAY_CHECK(WriteFileAtomically(options.output, TestsOf(suite, options)));
  return ExitCode::kConformant;
}

class NotesShown : public RunObserver {
 public:
  void OnNote(const std::string& text) override {
    std::cout << "note: " << PrintableLine(text) << "\n";
  }
};

// A run of the suite, in a folder that nothing is left in.
Result<RunResult> RunAnew(Options& options, const fs::path& folder) {
  options.flags.run.suites = {options.suite};
  options.flags.run.out_dir = folder;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  KASSAY_TRY(const Kernel kernel, ResolveKernel(options.flags.kernel));
  NotesShown observer;
  return RunOn(kernel, options.flags, observer);
}

Result<ExitCode> Prepare(Options& options) {
  std::error_code ignored;
  fs::remove_all(options.dir, ignored);
  options.flags.run.probe_only = true;
  KASSAY_TRY(const RunResult result, RunAnew(options, options.dir / "prepared"));
  return result.interrupted ? ExitCode::kInterrupted : ExitCode::kConformant;
}

void Show(const CaseResult& result) {
  std::cout << fmt::format("{}: {}{}{}\n", PrintableLine(result.Id()), ToString(result.verdict),
                           result.reason.empty() ? "" : ": ", PrintableLine(result.reason));
  for (const Failure& failure : result.failures)
    std::cout << fmt::format("{}:{}: {}\n", PrintableLine(failure.file), failure.line,
                             XmlText(failure.message));
  for (const Evidence& evidence : result.evidence)
    std::cout << fmt::format("{}: {}\n", PrintableLine(evidence.key),
                             PrintableLine(evidence.value));
  for (const Measure& measure : result.measures)
    std::cout << fmt::format("{}: {} (measured)\n", PrintableLine(measure.name),
                             PrintableLine(measure.Text()));
  if (result.verdict == Verdict::kPass) return;
  for (const std::string& line : result.kernel_log) std::cout << PrintableLine(line) << "\n";
}

ExitCode CodeOf(const CaseResult& result) {
  if (result.verdict == Verdict::kPass || result.erratum) return ExitCode::kConformant;
  const bool skipped = result.verdict == Verdict::kAbsent || result.verdict == Verdict::kUnmet;
  return skipped ? kSkipped : ExitCode::kNonconformant;
}

Result<ExitCode> Case(Options& options) {
  RunOptions& run = options.flags.run;
  run.filters = {options.case_name};
  run.jobs = 1;
  run.prepared = options.dir / "prepared";
  std::string folder = options.case_name;
  std::ranges::replace(folder, '/', '_');
  KASSAY_TRY(const RunResult result, RunAnew(options, options.dir / folder));
  if (result.interrupted) return ExitCode::kInterrupted;
  // Whoever holds the record comes to the same result.
  KASSAY_TRY(const RunRecord record, ReadRunRecord(run.out_dir));
  KASSAY_TRY(const RunResult again, Conclude(record));
  if (ToJson(again) != ToJson(result))
    return Fail(run.out_dir.string() + ": its record does not give its result");
  const auto one = std::ranges::find(result.cases, options.case_name, &CaseResult::case_name);
  if (one == result.cases.end()) return Fail("no verdict for " + options.case_name);
  Show(*one);
  const ExitCode code = CodeOf(*one);
  std::error_code ignored;
  if (code != ExitCode::kNonconformant) fs::remove_all(run.out_dir, ignored);
  return code;
}

void AddCtestCommands(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{{context.installation}});
  const auto add = [&](const char* name, Result<ExitCode> (*act)(Options&)) {
    CLI::App* command = app.add_subcommand(name, "For CTest")->group("");
    AddKernelOptions(*command, options->flags.kernel, /*required=*/true);
    command->add_option("--suite", options->suite)->required();
    command->add_option("--dir", options->dir)->required();
    command->callback([options, act, &context] { context.Finish(act(*options)); });
    return command;
  };
  CLI::App* script = add("ctest-script", &Script);
  script->add_option("--prefix", options->prefix);
  script->add_option("--needs", options->needs);
  script->add_option("--output", options->output)->required();
  add("ctest-prepare", &Prepare);
  add("ctest-case", &Case)->add_option("--case", options->case_name)->required();
}

KASSAY_COMMAND(90, AddCtestCommands);

}  // namespace
}  // namespace kassay::cli
