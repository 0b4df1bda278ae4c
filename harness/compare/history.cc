#include "harness/compare/history.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

#include "harness/base/sha256.h"
#include "harness/base/text/json_reader.h"

namespace kassay {
namespace {

constexpr int kSchema = 1;  // PRAGMA user_version
constexpr int kApplication = 0x6b617373;

constexpr const char* kCreate = R"(
CREATE TABLE IF NOT EXISTS run(
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, started_at TEXT NOT NULL,
  release TEXT NOT NULL, package_version TEXT NOT NULL, image_sha256 TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS name(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS result(
  case_id INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES run(id), verdict TEXT NOT NULL,
  reason TEXT NOT NULL, erratum TEXT NOT NULL, waiver TEXT NOT NULL, attempts INTEGER NOT NULL,
  passes INTEGER NOT NULL, PRIMARY KEY(case_id, run)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cites(
  requirement INTEGER NOT NULL, case_id INTEGER NOT NULL,
  PRIMARY KEY(requirement, case_id)) WITHOUT ROWID;
)";

constexpr const char* kSelect = R"(
SELECT run.started_at, run.release, run.package_version, run.image_sha256, name.text,
       result.verdict, result.reason, result.erratum, result.waiver, result.attempts, result.passes
FROM result JOIN run ON run.id = result.run JOIN name ON name.id = result.case_id
WHERE result.case_id IN ({}) ORDER BY run.started_at DESC, run.id DESC, name.text DESC LIMIT ?2)";

class Statement {
 public:
  Statement(sqlite3* database, const std::string& sql) : database_(database) {
    sqlite3_stmt* raw = nullptr;
    sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr);
    statement_.reset(raw);
  }
  // Gives ?1, ?2 and so on their values.
  template <typename... Values>
  Statement& Bind(const Values&... values) {
    int index = 0;
    (BindOne(++index, values), ...);
    return *this;
  }
  // True while there is a row.
  Result<bool> Step() {
    const int code = statement_ ? sqlite3_step(statement_.get()) : sqlite3_errcode(database_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return Fail(std::string("history: ") + sqlite3_errmsg(database_));
  }
  // Runs a statement without rows and makes it ready for the next values.
  Status Do() {
    KASSAY_TRY(const bool row, Step());
    (void)row;
    sqlite3_reset(statement_.get());
    return {};
  }
  [[nodiscard]] std::string Text(int column) const {
    const auto* text = sqlite3_column_text(statement_.get(), column);
    return text == nullptr ? "" : reinterpret_cast<const char*>(text);  // NOLINT
  }
  [[nodiscard]] std::int64_t Number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }

 private:
  void BindOne(int index, std::string_view text) {
    sqlite3_bind_text(statement_.get(), index, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
  }
  void BindOne(int index, std::int64_t number) {
    sqlite3_bind_int64(statement_.get(), index, number);
  }

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

Status Execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return Fail(std::string("history: ") + sqlite3_errmsg(database));
}

Result<std::int64_t> Pragma(sqlite3* database, const std::string& name) {
  Statement statement(database, "PRAGMA " + name);
  KASSAY_TRY(const bool row, statement.Step());
  return row ? statement.Number(0) : 0;
}

}  // namespace

void History::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

Result<History> History::Open(const std::filesystem::path& file) {
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open(file.c_str(), &raw);
  History history(raw);
  if (code != SQLITE_OK) return Fail(file.string() + ": " + sqlite3_errmsg(raw));
  if (const Status prepared = history.Prepare(); !prepared) {
    return Fail(prepared.error().Within(file.string()));
  }
  return history;
}

Status History::Prepare() const {
  sqlite3* database = database_.get();
  sqlite3_busy_timeout(database, 10'000);
  KASSAY_TRY(const std::int64_t version, Pragma(database, "user_version"));
  KASSAY_TRY(const std::int64_t application, Pragma(database, "application_id"));
  if (version > kSchema || (version > 0 && application != kApplication)) {
    return Fail("not a history that this kassay can read", ErrorKind::kUsage);
  }
  if (version == kSchema) return {};
  KASSAY_CHECK(Execute(database, "PRAGMA journal_mode = WAL"));
  KASSAY_CHECK(Execute(database, kCreate));
  return Execute(database, fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                       kApplication, kSchema)
                               .c_str());
}

Result<bool> History::Add(const RunResult& run) {
  sqlite3* database = database_.get();
  KASSAY_CHECK(Execute(database, "BEGIN IMMEDIATE"));
  Result<bool> added = AddRows(run);
  if (added) {
    if (const Status kept = Execute(database, "COMMIT"); !kept) added = Fail(kept.error());
  }
  if (!added) (void)Execute(database, "ROLLBACK");
  return added;
}

Result<bool> History::AddRows(const RunResult& run) const {
  sqlite3* database = database_.get();
  Statement insert_run(database,
                       "INSERT OR IGNORE INTO run(digest, started_at, release, package_version,"
                       " image_sha256) VALUES(?1, ?2, ?3, ?4, ?5)");
  KASSAY_CHECK(insert_run
                   .Bind(Sha256Hex(ToJson(run)), run.started_at, run.kernel.release,
                         run.kernel.package_version, run.kernel.image_sha256)
                   .Do());
  if (sqlite3_changes(database) == 0) return false;
  const std::int64_t id = sqlite3_last_insert_rowid(database);
  Statement name(database, "INSERT OR IGNORE INTO name(text) VALUES(?1)");
  Statement insert(database,
                   "INSERT OR REPLACE INTO result SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM name"
                   " WHERE text = ?1");
  Statement cite(database,
                 "INSERT OR IGNORE INTO cites SELECT requirement.id, cited.id"
                 " FROM name AS requirement, name AS cited"
                 " WHERE requirement.text = ?1 AND cited.text = ?2");
  for (const CaseResult& result : run.cases) {
    const std::string case_id = result.Id();
    KASSAY_CHECK(name.Bind(case_id).Do());
    KASSAY_CHECK(insert
                     .Bind(case_id, id, ToString(result.verdict), result.reason,
                           result.erratum ? result.erratum->id : "", result.waiver, result.attempts,
                           result.passes)
                     .Do());
    for (const std::string& requirement : result.requirements) {
      KASSAY_CHECK(name.Bind(requirement).Do());
      KASSAY_CHECK(cite.Bind(requirement, case_id).Do());
    }
  }
  return true;
}

Result<std::vector<HistoryRow>> History::Rows(const char* where, const std::string& id,
                                              int limit) const {
  Statement select(database_.get(), fmt::format(fmt::runtime(kSelect), where));
  select.Bind(id, limit);
  std::vector<HistoryRow> rows;
  while (true) {
    KASSAY_TRY(const bool row, select.Step());
    if (!row) break;
    HistoryRow& out = rows.emplace_back();
    out.started_at = select.Text(0);
    out.release = select.Text(1);
    out.package_version = select.Text(2);
    out.image_sha256 = select.Text(3);
    out.case_id = select.Text(4);
    out.verdict = VerdictFromString(select.Text(5)).value_or(Verdict::kError);
    out.reason = select.Text(6);
    out.erratum = select.Text(7);
    out.waiver = select.Text(8);
    out.attempts = static_cast<int>(select.Number(9));
    out.passes = static_cast<int>(select.Number(10));
  }
  std::ranges::reverse(rows);
  return rows;
}

Result<std::vector<HistoryRow>> History::OfCase(const std::string& id, int limit) const {
  return Rows("SELECT id FROM name WHERE text = ?1", id, limit);
}

Result<std::vector<HistoryRow>> History::OfRequirement(const std::string& id, int limit) const {
  return Rows(
      "SELECT case_id FROM cites JOIN name ON name.id = cites.requirement WHERE name.text = ?1", id,
      limit);
}

Result<std::vector<std::string>> History::Known(const std::string& prefix, int limit) const {
  Statement select(database_.get(),
                   "SELECT text FROM name WHERE substr(text, 1, length(?1)) = ?1 ORDER BY text"
                   " LIMIT ?2");
  select.Bind(prefix, limit);
  std::vector<std::string> names;
  while (true) {
    KASSAY_TRY(const bool row, select.Step());
    if (!row) return names;
    names.push_back(select.Text(0));
  }
}

std::string ToTable(const std::vector<HistoryRow>& rows) {
  std::string out;
  for (const HistoryRow& row : rows) {
    const std::string rate =
        row.attempts > 1 ? fmt::format(" {}/{}", row.passes, row.attempts) : std::string();
    std::string reason = row.reason;
    std::ranges::replace_if(
        reason, [](unsigned char c) { return c < 0x20; }, '?');
    out +=
        fmt::format("{:<20}  {:<32}  {:<8}{}  {}{}{}\n", row.started_at, row.release,
                    ToString(row.verdict), rate, row.case_id, reason.empty() ? "" : "  ", reason);
  }
  return out;
}

std::string ToJson(const std::vector<HistoryRow>& rows) {
  Json list = Json::array();
  for (const HistoryRow& row : rows) {
    list.push_back({{"started_at", row.started_at},
                    {"release", row.release},
                    {"package_version", row.package_version},
                    {"image_sha256", row.image_sha256},
                    {"case", row.case_id},
                    {"verdict", ToString(row.verdict)},
                    {"reason", row.reason},
                    {"erratum", row.erratum},
                    {"waiver", row.waiver},
                    {"attempts", row.attempts},
                    {"passes", row.passes}});
  }
  return DumpJson(list, 1) + "\n";
}

}  // namespace kassay
