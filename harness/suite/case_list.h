// Which cases a suite has: what `SUITE --kassay_list` prints (harness/protocol/records.h).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

struct ListedCase {
  std::string name;  // "Ring.Name"
  std::vector<std::string> requirements;
  bool on_host = false;  // runs on this machine, not in a guest
  bool detection = false;
  int timeout_s = 30;
  std::string profile;        // empty: the suite's
  std::string expects_panic;  // ECMAScript regular expression; empty: the kernel must live
  std::string allows_taint;   // taint letters that the case may bring about
  std::string file;           // inside the source tree
  int line = 0;
};

struct CaseList {
  std::string suite;
  std::vector<std::string> features;  // those with a probe
  bool prepares = false;              // --kassay_prepare makes files for the guest
  std::vector<ListedCase> cases;
};

// Fails with the place on anything that the format does not allow: names that do not fit into a
// file name or a filter, the same case twice, a time limit out of 1 to 3600 s, a bad expression.
[[nodiscard]] Result<CaseList> ParseCaseList(std::string_view json);
// The same list again.
[[nodiscard]] std::string ToJson(const CaseList& list);

// Runs `executable --kassay_list` on this machine, with a limit in time and output. With a
// `cache_dir` the answer is kept there and taken from there while the executable is the same file
// (path, inode, size and time of change); what is wrong with the cache is no error.
[[nodiscard]] Result<CaseList> ListCases(const std::filesystem::path& executable,
                                         const std::filesystem::path& cache_dir = {});

}  // namespace kassay
