#include "suites/support/compile/compile.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "suites/support/case.h"
#include "suites/support/compile/kernel_headers.h"
#include "suites/support/compile/tool.h"

namespace kassay::compile {
namespace fs = std::filesystem;
namespace {

constexpr const char* kCaseFile = "case.c";

std::string CategoryOf(const std::string& kind, const std::string& option) {
  if (kind == "error") return "E";
  if (option.find("thread-safety-analysis") != std::string::npos) return "A";
  if (option.find("thread-safety-pointer") != std::string::npos) return "P";
  if (option.find("thread-safety-precise") != std::string::npos) return "R";
  return "W";
}

void ParseDiagnostics(Compilation& result) {
  static const std::regex kLine(
      R"(^([^:\n]+):(\d+):\d+: (?:fatal )?(warning|error): (.*?)(?: \[([^\]]*)\])?$)");
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, kLine)) continue;
    const bool own = match[1].str() == kCaseFile;
    result.diagnostics.push_back(
        {own ? std::stoi(match[2]) : 0, match[3], match[4], CategoryOf(match[3], match[5])});
  }
}

struct Announcement {
  int line;
  std::string category;
  std::string text;
};

std::vector<Announcement> Announcements(std::string_view source) {
  std::vector<Announcement> found;
  std::istringstream lines{std::string(source)};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    for (size_t at = line.find("//! "); at != std::string::npos;) {
      const size_t next = line.find("//! ", at + 4);
      std::string text = line.substr(at + 6, next == std::string::npos ? next : next - at - 6);
      while (!text.empty() && text.back() == ' ') text.pop_back();
      found.push_back({number, line.substr(at + 4, 1), text});
      at = next;
    }
  }
  return found;
}

}  // namespace

Compilation Compile(std::string_view source, const CompileOptions& options) {
  const KernelHeaders headers = FindKernelHeaders();
  const ScratchFolder folder;
  std::ofstream(folder.path() / kCaseFile) << source;
  std::vector<std::string> arguments = {ClangProgram(),           "-fsyntax-only",
                                        "-fno-color-diagnostics", "-fno-caret-diagnostics",
                                        "-ferror-limit=0",        "-Wno-everything"};
  for (const std::string& flag : ModuleFlags(headers)) arguments.push_back(flag);
  if (!options.prelude.empty()) {
    std::ofstream(folder.path() / "prelude.h") << options.prelude;
    arguments.insert(arguments.end(), {"-include", "prelude.h"});
  }
  arguments.insert(arguments.end(), options.flags.begin(), options.flags.end());
  arguments.emplace_back(kCaseFile);
  const Result<ToolRun> run = RunTool(arguments, folder.path());
  if (!run) return {};
  Compilation result{true, run->status.exit_code, {}, run->output};
  ParseDiagnostics(result);
  return result;
}

::testing::AssertionResult ReportsWhatIsAnnounced(std::string_view source,
                                                  const CompileOptions& options) {
  const Compilation result = Compile(source, options);
  if (!result.started)
    return ::testing::AssertionFailure() << ClangProgram() << " could not be run";
  const std::vector<Announcement> announced = Announcements(source);
  std::string problems;
  for (const Announcement& expected : announced) {
    const bool met = std::any_of(
        result.diagnostics.begin(), result.diagnostics.end(), [&](const Diagnostic& seen) {
          return seen.line == expected.line && seen.category == expected.category &&
                 seen.text.find(expected.text) != std::string::npos;
        });
    if (!met) {
      problems += "line " + std::to_string(expected.line) + ": not reported: [" +
                  expected.category + "] " + expected.text + "\n";
    }
  }
  for (const Diagnostic& seen : result.diagnostics) {
    const bool allowed =
        std::any_of(announced.begin(), announced.end(),
                    [&](const Announcement& expected) { return expected.line == seen.line; });
    const bool in_header = seen.line == 0;
    if (in_header ? seen.kind == "error" : !allowed) {
      problems += "line " + std::to_string(seen.line) + ": reported: " + seen.kind + " [" +
                  seen.category + "] " + seen.text + "\n";
    }
    if (seen.line > 0)
      RecordEvidence("line " + std::to_string(seen.line), seen.text + " [" + seen.category + "]");
  }
  if (problems.empty()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << problems << "source:\n" << source;
}

::testing::AssertionResult IsSilent(std::string_view source, const CompileOptions& options) {
  if (!Announcements(source).empty())
    return ::testing::AssertionFailure() << "the source announces a warning";
  return ReportsWhatIsAnnounced(source, options);
}

}  // namespace kassay::compile
