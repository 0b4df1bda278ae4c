#include "harness/vm/console.h"

#include <fcntl.h>

#include <array>

#include "harness/vm/qemu_user.h"

namespace kassay {
namespace {

// "[   12.345678][   T12] text" gives "text"; the rest of an overlong line is left out.
std::string WithoutStamp(std::string_view line) {
  while (line.starts_with('[')) {
    const std::size_t end = line.find(']');
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 1);
    while (line.starts_with(' ')) line.remove_prefix(1);
  }
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  return std::string(line.substr(0, 300));
}

std::string LineAt(std::string_view text, std::size_t at) {
  const std::size_t before = text.rfind('\n', at);
  const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
  return WithoutStamp(text.substr(start, text.find('\n', at) - start));
}

}  // namespace

Result<Pipe> MakeConsolePipe() {
  KASSAY_TRY(Pipe pipe, MakePipe());
  KASSAY_CHECK(GiveToQemu(pipe.writing.Get()));
  // As large as every user may make it (proc_sys_fs(5)); where that is refused it stays at 64 KiB.
  static_cast<void>(::fcntl(pipe.writing.Get(), F_SETPIPE_SZ, 1 << 20));
  return pipe;
}

std::string PanicLine(std::string_view console) {
  const std::size_t at = console.find("Kernel panic - not syncing");
  return at == std::string_view::npos ? std::string() : LineAt(console, at);
}

std::string DistressLine(std::string_view console) {
  static constexpr std::array<std::string_view, 8> kSigns = {
      "BUG: ",       "Oops: ",      "kernel BUG at ",      "general protection fault",
      "soft lockup", "hard LOCKUP", "self-detected stall", "detected stalls on"};
  std::size_t first = std::string_view::npos;
  for (const std::string_view sign : kSigns) first = std::min(first, console.find(sign));
  return first == std::string_view::npos ? std::string() : LineAt(console, first);
}

std::string DeathLine(std::string_view console) {
  const std::string panic = PanicLine(console);
  if (panic.empty()) return {};
  const std::string distress = DistressLine(console.substr(0, console.find(panic)));
  return distress.empty() ? panic : distress + "; " + panic;
}

std::string LastLines(std::string_view console, std::size_t lines, std::size_t bytes) {
  while (console.ends_with('\n') || console.ends_with('\r')) console.remove_suffix(1);
  std::size_t start = console.size();
  for (std::size_t i = 0; i < lines && start > 0; ++i) {
    const std::size_t newline = console.rfind('\n', start - 1);
    start = newline == std::string_view::npos ? 0 : newline;
  }
  std::string_view last = console.substr(start);
  if (last.starts_with('\n')) last.remove_prefix(1);
  if (last.size() > bytes) last.remove_prefix(last.size() - bytes);
  std::string text(last);
  std::erase(text, '\r');
  return text;
}

}  // namespace kassay
