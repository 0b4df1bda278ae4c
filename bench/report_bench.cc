// What must stay fast with 100,000 case results: the HTML report (under 2 s and 200 MiB), the
// comparison, and the history's questions. Run: bench/report_bench
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <filesystem>

#include "harness/compare/compare.h"
#include "harness/compare/history.h"
#include "harness/report/html/html.h"

namespace kassay {
namespace {

constexpr int kCases = 100'000;

RunResult ManyCases(int cases, const std::string& started_at) {
  RunResult run;
  run.kernel.release = "7.0.13";
  run.kernel.version = "7.0.13";
  run.started_at = started_at;
  run.finished_at = started_at;
  run.cases.reserve(static_cast<size_t>(cases));
  for (int i = 0; i < cases; ++i) {
    CaseResult& result = run.cases.emplace_back();
    result.suite = "suite" + std::to_string(i % 10);
    result.case_name = "Group" + std::to_string(i % 100) + ".Case" + std::to_string(i);
    result.profile = "stock";
    result.requirements = {"REQ-" + std::to_string(i % 1000)};
    result.verdict = i % 50 == 0 ? Verdict::kFail : Verdict::kPass;
    result.duration_ms = 300;
    result.passes = 1;
    if (result.verdict == Verdict::kFail) {
      result.reason = "Expected: is errno 13 (EACCES), actual: 0";
      result.failures = {
          {"suites/suite/case.cc", i % 400, "Value of: x\nExpected: -13\nActual: 0"}};
      result.evidence = {{"errno", "0"}};
      result.kernel_log = {"<6>[    4.102] a line of the kernel's log about this case"};
    }
  }
  return run;
}

double PeakMebibytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void BM_HtmlReport(benchmark::State& state) {
  const RunResult run = ManyCases(kCases, "2026-11-24T06:00:00Z");
  size_t bytes = 0;
  for ([[maybe_unused]] const auto _ : state) {
    const std::string page = HtmlOfRun(run, {});
    bytes = page.size();
    benchmark::DoNotOptimize(page.data());
  }
  state.counters["page_MiB"] = static_cast<double>(bytes) / (1 << 20);
  state.counters["process_peak_MiB"] = PeakMebibytes();  // the 100,000 results included
}
BENCHMARK(BM_HtmlReport)->Unit(benchmark::kMillisecond)->Iterations(3);

void BM_Compare(benchmark::State& state) {
  const Baseline before = BaselineOf(ManyCases(kCases, "a"));
  const Baseline& after = before;
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(Compare(before, after).same);
}
BENCHMARK(BM_Compare)->Unit(benchmark::kMillisecond)->Iterations(3);

// A history of 100 runs of 1000 cases each.
class HistoryBench : public benchmark::Fixture {
 public:
  void SetUp(const benchmark::State&) override {
    file_ = std::filesystem::temp_directory_path() / "kassay-history-bench.sqlite";
    Remove();
    History history = History::Open(file_).value();
    for (int i = 0; i < 100; ++i) {
      (void)history.Add(ManyCases(kCases / 100, "2026-01-01T00:00:" + std::to_string(i))).value();
    }
  }
  void TearDown(const benchmark::State&) override { Remove(); }

 protected:
  void Remove() const {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(file_.string() + suffix);
    }
  }
  std::filesystem::path file_;
};

BENCHMARK_DEFINE_F(HistoryBench, OfCase)(benchmark::State& state) {
  const History history = History::Open(file_).value();
  for ([[maybe_unused]] const auto _ : state)
    benchmark::DoNotOptimize(history.OfCase("suite1.Group1.Case1", 100)->size());
}
BENCHMARK_REGISTER_F(HistoryBench, OfCase)->Unit(benchmark::kMicrosecond);

BENCHMARK_DEFINE_F(HistoryBench, OfRequirement)(benchmark::State& state) {
  const History history = History::Open(file_).value();
  for ([[maybe_unused]] const auto _ : state)
    benchmark::DoNotOptimize(history.OfRequirement("REQ-1", 100)->size());
}
BENCHMARK_REGISTER_F(HistoryBench, OfRequirement)->Unit(benchmark::kMicrosecond);

BENCHMARK_DEFINE_F(HistoryBench, AddRunOfThousand)(benchmark::State& state) {
  History history = History::Open(file_).value();
  int i = 0;
  for ([[maybe_unused]] const auto _ : state) {
    (void)history.Add(ManyCases(1000, "2026-02-01T00:00:" + std::to_string(i++))).value();
  }
}
BENCHMARK_REGISTER_F(HistoryBench, AddRunOfThousand)->Unit(benchmark::kMillisecond)->Iterations(10);

}  // namespace
}  // namespace kassay

BENCHMARK_MAIN();
