#include "suites/support/audit_log.h"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "suites/support/syscall_matchers.h"

namespace kassay {
namespace {

constexpr int kMarkerType = AUDIT_FIRST_USER_MSG;  // any user message: only its text is looked at
constexpr int kLimitMs = 5000;
// Enough for a case; 0 would be "no limit", but the kernel then warns about nothing at all.
constexpr unsigned kBacklog = 8192;

}  // namespace

std::optional<std::string> AuditRecord::Field(std::string_view key) const {
  const std::string wanted = std::string(key) + "=";
  for (std::size_t at = text.find(wanted); at != std::string::npos;
       at = text.find(wanted, at + 1)) {
    if (at != 0 && text[at - 1] != ' ') continue;
    const std::size_t begin = at + wanted.size();
    if (begin < text.size() && text[begin] == '"')
      return text.substr(begin + 1, text.find('"', begin + 1) - begin - 1);
    return text.substr(begin, text.find(' ', begin) - begin);
  }
  return std::nullopt;
}

std::string AuditRecord::Permissions() const {
  const std::size_t open = text.find("{ ");
  const std::size_t close = text.find(" }");
  if (open == std::string::npos || close == std::string::npos || close < open + 2) return "";
  return text.substr(open + 2, close - open - 2);
}

bool AuditRecord::Denied() const { return text.find("denied") != std::string::npos; }

void PrintTo(const AuditRecord& record, std::ostream* os) {
  *os << "type=" << record.type << " " << record.text;
}

AuditLog::AuditLog() : socket_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT)) {
  if (!socket_.IsOpen()) {
    error_ = "no audit in this kernel: NETLINK_AUDIT: " + ErrnoName(errno);
    return;
  }
  sockaddr_nl own{};
  own.nl_family = AF_NETLINK;
  const int space = 4 << 20;
  setsockopt(socket_.Get(), SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space);
  if (bind(socket_.Get(), reinterpret_cast<sockaddr*>(&own), sizeof own) != 0) {
    error_ = "cannot bind an audit socket: " + ErrnoName(errno);
    return;
  }
  audit_status status{};
  status.mask = AUDIT_STATUS_ENABLED | AUDIT_STATUS_PID | AUDIT_STATUS_BACKLOG_LIMIT |
                AUDIT_STATUS_RATE_LIMIT;
  status.enabled = 1;
  status.pid = static_cast<unsigned>(getpid());
  status.backlog_limit = kBacklog;
  if (const int failed = Request(AUDIT_SET, &status, sizeof status); failed != 0) {
    error_ = "cannot become the audit daemon: AUDIT_SET: " + ErrnoName(failed);
    return;
  }
  [[maybe_unused]] const auto before = Take();
}

AuditLog::~AuditLog() {
  if (!socket_.IsOpen()) return;
  audit_status status{};
  status.mask = AUDIT_STATUS_ENABLED | AUDIT_STATUS_PID;
  [[maybe_unused]] const int failed = Request(AUDIT_SET, &status, sizeof status);
}

int AuditLog::Request(int type, const void* data, std::size_t size) {
  std::array<char, 1024> buffer{};
  nlmsghdr header{};
  header.nlmsg_len = static_cast<unsigned>(NLMSG_LENGTH(size));
  header.nlmsg_type = static_cast<unsigned short>(type);
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  header.nlmsg_seq = ++sequence_;
  memcpy(buffer.data(), &header, sizeof header);
  memcpy(buffer.data() + NLMSG_HDRLEN, data, size);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (sendto(socket_.Get(), buffer.data(), header.nlmsg_len, 0,
             reinterpret_cast<sockaddr*>(&kernel), sizeof kernel) < 0) {
    return errno;
  }
  int acknowledged = -1;
  while (acknowledged < 0) {
    if (!Receive(&early_, &acknowledged, kLimitMs)) return ETIMEDOUT;
  }
  return acknowledged;
}

// One datagram. A record goes to `records`; an acknowledgement of the last request sets
// `acknowledged`.
bool AuditLog::Receive(std::vector<AuditRecord>* records, int* acknowledged, int limit_ms) {
  pollfd waiting{socket_.Get(), POLLIN, 0};
  const int ready = poll(&waiting, 1, limit_ms);
  if (ready < 0 && errno == EINTR) return true;
  if (ready <= 0) return false;
  std::array<char, 16384> buffer{};
  const ssize_t got = recv(socket_.Get(), buffer.data(), buffer.size(), 0);
  nlmsghdr header{};
  if (got < static_cast<ssize_t>(sizeof header)) return got >= 0 || errno == EINTR;
  memcpy(&header, buffer.data(), sizeof header);
  // Audit writes the length without or with the header, depending on the record: the datagram's
  // own length is the truth.
  const char* payload = buffer.data() + NLMSG_HDRLEN;
  const std::size_t size = static_cast<std::size_t>(got) - NLMSG_HDRLEN;
  if (header.nlmsg_type == NLMSG_ERROR && size >= sizeof(int)) {
    int code = 0;
    memcpy(&code, payload, sizeof code);
    if (header.nlmsg_seq == sequence_) *acknowledged = -code;
    return true;
  }
  std::string text(payload, strnlen(payload, size));
  if (const std::size_t at = text.find("): ");
      text.starts_with("audit(") && at != std::string::npos)
    text.erase(0, at + 3);
  records->push_back({header.nlmsg_type, std::move(text)});
  return true;
}

std::vector<AuditRecord> AuditLog::Take() {
  std::vector<AuditRecord> records;
  if (!error_.empty()) return records;
  const std::string marker = "kassay-marker-" + std::to_string(sequence_ + 1);
  if (const int failed = Request(kMarkerType, marker.c_str(), marker.size() + 1); failed != 0) {
    error_ = "cannot write a marker into the audit log: " + ErrnoName(failed);
    return records;
  }
  records.swap(early_);
  const auto is_marker = [&](const AuditRecord& record) {
    return record.text.find(marker) != std::string::npos;
  };
  int ignored = 0;
  while (std::none_of(records.begin(), records.end(), is_marker)) {
    if (!Receive(&records, &ignored, kLimitMs)) {
      error_ = "the marker never came back through the audit log";
      break;
    }
  }
  std::erase_if(records, is_marker);
  return records;
}

std::vector<AuditRecord> OfType(const std::vector<AuditRecord>& records, int type) {
  std::vector<AuditRecord> matching;
  std::copy_if(records.begin(), records.end(), std::back_inserter(matching),
               [type](const AuditRecord& record) { return record.type == type; });
  return matching;
}

}  // namespace kassay
