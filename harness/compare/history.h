// Every run that was recorded on this machine, in one SQLite file: how did a case or a requirement
// stand, kernel by kernel, over time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/result/run_result.h"

struct sqlite3;

namespace kassay {

struct HistoryRow {
  std::string started_at;
  std::string release;
  std::string package_version;
  std::string image_sha256;
  std::string case_id;  // "io_uring.TaskList.SurvivesExec"
  Verdict verdict = Verdict::kError;
  std::string reason;
  std::string erratum;
  std::string waiver;
  int attempts = 1;
  int passes = 0;
};

class History {
 public:
  // Makes the file and its folder if needed. Fails on a file that is not ours or is of a newer
  // format.
  [[nodiscard]] static Result<History> Open(const std::filesystem::path& file);

  // Takes a run up; false if it (the same result to the byte) is there already. All or nothing.
  [[nodiscard]] Result<bool> Add(const RunResult& run);

  // Oldest run first, at most the `limit` newest rows; empty if nothing is known of it.
  [[nodiscard]] Result<std::vector<HistoryRow>> OfCase(const std::string& id, int limit) const;
  [[nodiscard]] Result<std::vector<HistoryRow>> OfRequirement(const std::string& id,
                                                              int limit) const;
  // Case and requirement ids that begin with `prefix`, sorted; for "did you mean".
  [[nodiscard]] Result<std::vector<std::string>> Known(const std::string& prefix, int limit) const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit History(sqlite3* database) : database_(database) {}
  [[nodiscard]] Status Prepare() const;
  [[nodiscard]] Result<bool> AddRows(const RunResult& run) const;
  [[nodiscard]] Result<std::vector<HistoryRow>> Rows(const char* where, const std::string& id,
                                                     int limit) const;
  std::unique_ptr<sqlite3, Close> database_;
};

// One line a run, newest last.
[[nodiscard]] std::string ToTable(const std::vector<HistoryRow>& rows);
[[nodiscard]] std::string ToJson(const std::vector<HistoryRow>& rows);

}  // namespace kassay
