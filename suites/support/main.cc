// The entry of every suite executable: lists its cases, runs its probes or its cases, and says what
// happens in the record format of harness/protocol/records.h.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/protocol/records.h"
#include "harness/protocol/suite_program.h"
#include "suites/support/case.h"
#include "suites/support/helper.h"
#include "suites/support/limit_scale.h"
#include "suites/support/prepare.h"

namespace kassay {
namespace {

using Json = nlohmann::ordered_json;

struct RegisteredCase {
  CaseInfo info;
  std::string file;
  int line;
};

// Keyed by "TestSuite.Name"; functions own the statics because registration runs before main.
std::map<std::string, RegisteredCase>& Cases() {
  static std::map<std::string, RegisteredCase> cases;
  return cases;
}
std::map<std::string, ProbeAnswer (*)()>& Probes() {
  static std::map<std::string, ProbeAnswer (*)()> probes;
  return probes;
}

std::string InsideTree(const std::string& file) {
  const size_t at = file.rfind("/suites/");
  return at == std::string::npos ? file : file.substr(at + 1);
}

int RecordFd() {
  static const int fd = [] {
    const char* value = std::getenv(kRecordFdVariable);  // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? -1
                            : std::atoi(value);  // NOLINT(cert-err34-c): the agent's own number
  }();
  return fd;
}

// One write a record, so that records of several processes do not mix (a pipe keeps up to PIPE_BUF
// whole; longer ones come only from the suite's own process).
void WriteRecord(const Json& record) {
  if (RecordFd() < 0) return;
  std::string line = record.dump(-1, ' ', false, Json::error_handler_t::replace);
  line += '\n';
  const char* at = line.data();
  size_t left = line.size();
  while (left > 0) {
    const ssize_t put = ::write(RecordFd(), at, left);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    at += put;
    left -= static_cast<size_t>(put);
  }
}

// Cuts text so that its record stays under the bound even if every byte needs escaping.
std::string Bounded(std::string_view text, size_t most = kMaxRecordBytes / 8) {
  if (text.size() <= most) return std::string(text);
  return std::string(text.substr(0, most)) + " [cut: " + std::to_string(text.size()) +
         " bytes in all]";
}

// Kept here because GoogleTest holds its own lock while it reports a failure.
std::string& CurrentCase() {
  static std::string name;
  return name;
}

// Of the process that runs the case: its children are not the case.
pid_t& CasePid() {
  static pid_t pid = 0;
  return pid;
}

class RecordListener : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo& info) override {
    CurrentCase() = std::string(info.test_suite_name()) + "." + info.name();
    CasePid() = getpid();
    WriteRecord({{"type", "case_start"}, {"case", CurrentCase()}});
  }
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed()) return;
    WriteRecord({{"type", "failure"},
                 {"case", CurrentCase()},
                 {"file", result.file_name() == nullptr ? "" : InsideTree(result.file_name())},
                 {"line", result.line_number()},
                 {"message", Bounded(result.message())}});
  }
  void OnTestEnd(const ::testing::TestInfo& info) override {
    WriteRecord(
        {{"type", "case_end"}, {"case", CurrentCase()}, {"passed", !info.result()->Failed()}});
  }
};

// "Instance/Fixture.Name/value" was registered as "Fixture.Name".
std::string RegisteredName(std::string test_suite, std::string name) {
  if (const size_t slash = test_suite.find('/'); slash != std::string::npos)
    test_suite.erase(0, slash + 1);
  if (const size_t slash = name.find('/'); slash != std::string::npos) name.erase(slash);
  return test_suite + "." + name;
}

// A probe looks with the same means as a case, and keeps nothing.
void WriteMeasure(std::string_view name, const Json& value, std::string_view unit) {
  if (CurrentCase().empty()) return;
  Json record = {{"type", "measure"},
                 {"case", CurrentCase()},
                 {"name", Bounded(name, kMaxMeasureNameBytes)},
                 {"value", value}};
  if (!unit.empty()) record["unit"] = Bounded(unit, kMaxMeasureNameBytes);
  WriteRecord(record);
}

int PrintList(const std::string& suite) {
  Json list = {{"suite", suite},
               {"features", Json::array()},
               {"prepares", HasPreparation()},
               {"cases", Json::array()}};
  for (const auto& [feature, probe] : Probes()) list["features"].push_back(feature);
  bool complete = true;
  const ::testing::UnitTest& unit = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < unit.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& test_suite = *unit.GetTestSuite(i);
    for (int k = 0; k < test_suite.total_test_count(); ++k) {
      const ::testing::TestInfo& test = *test_suite.GetTestInfo(k);
      const auto found = Cases().find(RegisteredName(test_suite.name(), test.name()));
      if (found == Cases().end()) {
        std::cerr << test_suite.name() << "." << test.name()
                  << " cites no requirement: use KASSAY_CASE\n";
        complete = false;
        continue;
      }
      const auto& [info, file, line] = found->second;
      list["cases"].push_back({{"case", std::string(test_suite.name()) + "." + test.name()},
                               {"requirements", info.requirements()},
                               {"on_host", info.on_host()},
                               {"detection", info.detection()},
                               {"timeout_s", info.timeout_s()},
                               {"profile", info.profile()},
                               {"expects_panic", info.expects_panic()},
                               {"allows_taint", info.allows_taint()},
                               {"file", file},
                               {"line", line}});
    }
  }
  std::cout << list.dump(1) << "\n";
  return complete ? 0 : 1;
}

int RunProbes() {
  using Seen = ProbeAnswer::Seen;
  for (const auto& [feature, probe] : Probes()) {
    const ProbeAnswer answer = probe();
    if (answer.seen != Seen::kUnknown) {
      WriteRecord({{"type", "feature"},
                   {"feature", feature},
                   {"present", answer.seen == Seen::kPresent},
                   {"detail", Bounded(answer.detail)}});
    }
    const char* seen = answer.seen == Seen::kPresent   ? "present"
                       : answer.seen == Seen::kMissing ? "missing"
                                                       : "unknown";
    std::cout << feature << ": " << seen << " (" << answer.detail << ")\n";
  }
  return 0;
}

}  // namespace

CaseRegistration::CaseRegistration(const char* test_suite, const char* name, CaseInfo info,
                                   const char* file, int line) {
  Cases().insert_or_assign(std::string(test_suite) + "." + name,
                           RegisteredCase{std::move(info), InsideTree(file), line});
}

ProbeRegistration::ProbeRegistration(const char* feature, ProbeAnswer (*probe)()) {
  Probes().insert_or_assign(feature, probe);
}

void RecordEvidence(std::string_view key, std::string_view value) {
  if (CurrentCase().empty()) return;  // a probe looks with the same means and keeps no evidence
  WriteRecord({{"type", "evidence"},
               {"case", CurrentCase()},
               {"key", Bounded(key)},
               {"value", Bounded(value)}});
}

void RecordMeasure(std::string_view name, std::int64_t value, std::string_view unit) {
  WriteMeasure(name, value, unit);
}

void RecordMeasure(std::string_view name, std::string_view text) {
  WriteMeasure(name, Bounded(text), {});
}

// GoogleTest takes an AssertionException for "this test is over, and why has been reported"
// (HandleExceptionsInMethodIfSupported in googletest/src/gtest.cc). The skip is reported first:
// after a SetUp that was skipped the body does not run.
void LeaveCase(std::string_view verdict, std::string_view reason, const char* file, int line,
               std::string_view cause) {
  if (getpid() != CasePid()) {
    std::cerr << InsideTree(file) << ":" << line << ": a child process cannot leave the case ("
              << verdict << ": " << reason << ")" << std::endl;
    std::abort();
  }
  nlohmann::json record = {{"type", "leave"},
                           {"case", CurrentCase()},
                           {"verdict", verdict},
                           {"reason", Bounded(reason)}};
  if (!cause.empty()) record["cause"] = cause;
  WriteRecord(record);
  using Part = ::testing::TestPartResult;
  const std::string message = std::string(verdict) + ": " + std::string(reason);
  ::testing::internal::AssertHelper(Part::kSkip, file, line, message.c_str()) =
      ::testing::Message();
  throw ::testing::AssertionException(Part(Part::kSkip, file, line, message.c_str()));
}

}  // namespace kassay

// What a case throws, GoogleTest catches.
int main(int argc, char** argv) {  // NOLINT(bugprone-exception-escape)
  if (int exit_code = 0; kassay::RunRequestedHelper(argc, argv, &exit_code)) return exit_code;
  kassay::TakeLimitScale(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == kassay::kListOption) {
    const std::string path = argv[0];
    return kassay::PrintList(path.substr(path.rfind('/') + 1));
  }
  constexpr std::string_view kPrepare = kassay::kPrepareOption;
  if (mode.starts_with(kPrepare)) return kassay::Prepare(std::string(mode.substr(kPrepare.size())));
  if (mode == kassay::kProbeOption) return kassay::RunProbes();
  // GoogleTest owns and deletes its listeners.
  GTEST_FLAG_SET(catch_exceptions, true);  // LeaveCase throws
  ::testing::UnitTest::GetInstance()->listeners().Append(
      std::make_unique<kassay::RecordListener>().release());
  return RUN_ALL_TESTS();
}
