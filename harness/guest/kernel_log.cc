#include "harness/guest/kernel_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

namespace kassay::guest {
namespace {

// Takes "NUMBER" up to `end` off the front.
std::optional<std::uint64_t> TakeNumber(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + at, value);
  if (error != std::errc() || rest != text.data() + at) return std::nullopt;
  text.remove_prefix(at + 1);
  return value;
}

}  // namespace

std::optional<protocol::KernelLine> ParseKmsgRecord(std::string_view record) {
  const auto priority = TakeNumber(record, ',');
  const auto sequence = TakeNumber(record, ',');
  const auto microseconds = TakeNumber(record, ',');
  const std::size_t text = record.find(';');
  if (!priority || !sequence || !microseconds || text == std::string_view::npos)
    return std::nullopt;
  if (*priority >> 3 != 0) return std::nullopt;
  record.remove_prefix(text + 1);
  record = record.substr(0, record.find('\n'));
  return protocol::KernelLine{static_cast<std::uint8_t>(*priority & 7), *microseconds,
                              std::string(record.substr(0, protocol::kMaxKernelLineBytes))};
}

KernelLog::KernelLog() : fd_(::open("/dev/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (fd_.IsOpen()) ::lseek(fd_.Get(), 0, SEEK_END);
}

std::uint64_t KernelLog::Read(
    std::size_t most, const std::function<void(const protocol::KernelLine&)>& on_line) const {
  std::uint64_t lost = 0;
  std::vector<char> record(16384);  // more than the kernel's PRINTK_MESSAGE_MAX
  while (most > 0) {
    const ssize_t got = ::read(fd_.Get(), record.data(), record.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EPIPE) {  // overwritten meanwhile; the next read goes on behind the gap
      ++lost;
      continue;
    }
    if (got <= 0) break;
    const auto line = ParseKmsgRecord({record.data(), static_cast<std::size_t>(got)});
    if (!line) continue;
    on_line(*line);
    --most;
  }
  return lost;
}

void WriteKernelLog(const std::string& line) {
  const UniqueFd log(::open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
  const std::string record = "<13>" + line + "\n";
  if (log.IsOpen()) static_cast<void>(!::write(log.Get(), record.data(), record.size()));
}

}  // namespace kassay::guest
