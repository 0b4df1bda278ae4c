// What CTest calls (harness/cmake/KassayConformance.cmake): hidden from --help, for nobody types
// it.
//
//   kassay ctest-script ...    the CMake text that makes each case of a suite a test of its own
//   kassay ctest-prepare ...   the fixture: kernel, snapshot and probes
//   kassay ctest-case ...      one case. 0: pass, or a known bug of this version; 77: absent or
//                              unmet, which CTest shows as skipped; 1: anything else
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "harness/base/file.h"
#include "harness/cli/command.h"
#include "harness/cli/kernel_options.h"
#include "harness/cli/labs.h"
#include "harness/cli/run_options.h"
#include "harness/report/printable.h"
#include "harness/suite/selection.h"
#include "harness/verdict/conclude.h"

namespace kassay::cli {
namespace fs = std::filesystem;
namespace {

constexpr int kSkipped = 77;
// What a case costs beside its own time limit, on a slow and busy machine, in seconds.
constexpr int kOverheadSeconds = 240;

struct Options {
  explicit Options(Installation& installation) : kernel(installation) {}

  KernelOptions kernel;
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
                          Quoted(program), command, Quoted(options.kernel.spec), Quoted(name),
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
                    kSkipped, listed.timeout_s + kOverheadSeconds));
  }
  return script;
}

Result<int> Script(const Options& options) {
  KASSAY_TRY(const Suite suite, LoadSuite(*options.kernel.installation, options.suite));
  KASSAY_CHECK(WriteFileAtomically(options.output, TestsOf(suite, options)));
  return 0;
}

class NotesShown : public RunObserver {
 public:
  void OnNote(const std::string& text) override {
    std::cout << "note: " << PrintableLine(text) << "\n";
  }
};

Result<int> Prepare(Options& options) {
  RunOptions& run = options.flags.run;
  run.suites = {options.suite};
  run.out_dir = options.dir / "prepared";
  run.probe_only = true;
  std::error_code ignored;
  fs::remove_all(options.dir, ignored);
  KASSAY_TRY(const Kernel kernel, ResolveKernel(options.kernel));
  NotesShown observer;
  KASSAY_TRY(const RunResult result, RunOn(kernel, options.kernel, options.flags, observer));
  return result.interrupted ? static_cast<int>(ExitCode::kInterrupted) : 0;
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

int CodeOf(const CaseResult& result) {
  if (result.verdict == Verdict::kPass || result.erratum) return 0;
  return result.verdict == Verdict::kAbsent || result.verdict == Verdict::kUnmet ? kSkipped : 1;
}

Result<int> Case(Options& options) {
  RunOptions& run = options.flags.run;
  run.suites = {options.suite};
  run.filters = {options.case_name};
  run.jobs = 1;
  run.prepared = options.dir / "prepared";
  std::string folder = options.case_name;
  std::replace(folder.begin(), folder.end(), '/', '_');
  run.out_dir = options.dir / folder;
  std::error_code ignored;
  fs::remove_all(run.out_dir, ignored);
  KASSAY_TRY(const Kernel kernel, ResolveKernel(options.kernel));
  NotesShown observer;
  KASSAY_TRY(const RunResult result, RunOn(kernel, options.kernel, options.flags, observer));
  if (result.interrupted) return static_cast<int>(ExitCode::kInterrupted);
  // Whoever holds the record comes to the same result.
  KASSAY_TRY(const RunRecord record, ReadRunRecord(run.out_dir));
  KASSAY_TRY(const RunResult again, Conclude(record));
  if (ToJson(again) != ToJson(result))
    return Fail(run.out_dir.string() + ": its record does not give its result");
  for (const CaseResult& one : result.cases) {
    if (one.case_name != options.case_name) continue;
    Show(one);
    const int code = CodeOf(one);
    if (code != 1) fs::remove_all(run.out_dir, ignored);
    return code;
  }
  return Fail("no verdict for " + options.case_name);
}

CLI::App* AddHidden(CLI::App& app, const char* name, const std::shared_ptr<Options>& options) {
  CLI::App* command = app.add_subcommand(name, "For CTest");
  command->group("");
  AddKernelOptions(*command, options->kernel, /*required=*/true);
  command->add_option("--suite", options->suite)->required();
  command->add_option("--dir", options->dir)->required();
  return command;
}

void AddCtestCommands(CLI::App& app, Context& context) {
  const auto finish = [&context](const Result<int>& code) {
    context.exit_code = code ? static_cast<ExitCode>(*code) : Report(code.error());
  };
  const auto options = std::make_shared<Options>(context.installation);
  CLI::App* script = AddHidden(app, "ctest-script", options);
  script->add_option("--prefix", options->prefix);
  script->add_option("--needs", options->needs);
  script->add_option("--output", options->output)->required();
  script->callback([options, finish] { finish(Script(*options)); });
  CLI::App* prepare = AddHidden(app, "ctest-prepare", options);
  prepare->callback([options, finish] { finish(Prepare(*options)); });
  CLI::App* one = AddHidden(app, "ctest-case", options);
  one->add_option("--case", options->case_name)->required();
  one->callback([options, finish] { finish(Case(*options)); });
}

KASSAY_COMMAND(90, AddCtestCommands);

}  // namespace
}  // namespace kassay::cli
