// The kernel's audit records as a case sees them: the case's own process becomes the audit daemon
// (netlink(7), NETLINK_AUDIT; kernel/audit.c:audit_receive_msg), so records come as messages and
// not through the rate-limited kernel log, and audit=1 on the command line is not needed.
//
//   AuditLog log;
//   if (!log.Works()) KASSAY_UNMET(log.Error());
//   ...
//   const auto records = log.Take();                     // all that was written until now
//   EXPECT_THAT(CountOf(records, kAuditAvc), Eq(1));
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/unique_fd.h"

namespace kassay {

// include/uapi/linux/audit.h
inline constexpr int kAuditAvc = 1400;
inline constexpr int kAuditMacPolicyLoad = 1403;
inline constexpr int kAuditMacStatus = 1404;
inline constexpr int kAuditLandlockAccess = 1423;
inline constexpr int kAuditLandlockDomain = 1424;

struct AuditRecord {
  int type = 0;
  std::string text;  // without the "audit(TIME:SERIAL): " in front

  // The value of `key=value`, without quotes; nothing if there is no such field.
  [[nodiscard]] std::optional<std::string> Field(std::string_view key) const;
  // The words between braces of an AVC record: "{ map_create_as }".
  [[nodiscard]] std::string Permissions() const;
  // Of an AVC record: whether it says "denied".
  [[nodiscard]] bool Denied() const;
};
void PrintTo(const AuditRecord& record, std::ostream* os);

class AuditLog {
 public:
  // Needs CAP_AUDIT_CONTROL and CAP_AUDIT_WRITE, and no other audit daemon.
  AuditLog();
  ~AuditLog();  // switches auditing off again
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  [[nodiscard]] bool Works() const { return error_.empty(); }
  [[nodiscard]] const std::string& Error() const { return error_; }

  // Everything recorded since the last call. A marker written behind them tells that none is still
  // under way: the kernel's queue keeps the order. Records of the marker's own kind are left out.
  [[nodiscard]] std::vector<AuditRecord> Take();

 private:
  [[nodiscard]] int Request(int type, const void* data, std::size_t size);  // 0 or errno
  [[nodiscard]] bool Receive(std::vector<AuditRecord>* records, int* acknowledged, int limit_ms);

  UniqueFd socket_;
  std::string error_;
  unsigned sequence_ = 0;
  std::vector<AuditRecord> early_;  // came while an answer was waited for
};

[[nodiscard]] std::vector<AuditRecord> OfType(const std::vector<AuditRecord>& records, int type);

}  // namespace kassay
