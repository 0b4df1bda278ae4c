#include "suites/support/kernel_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace kassay {

KernelLog::KernelLog() : file_(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  lseek(file_.Get(), 0, SEEK_END);
}

std::vector<std::string> KernelLog::Lines() {
  std::vector<std::string> lines;
  std::string record(8192, '\0');
  while (true) {
    const ssize_t got = read(file_.Get(), record.data(), record.size());
    if (got < 0 && errno == EPIPE) continue;  // overrun: the next read goes on
    if (got <= 0) return lines;
    // "PRIORITY,NUMBER,TIME,FLAGS;TEXT\n", then lines of tags.
    const std::string text = record.substr(0, static_cast<std::size_t>(got));
    const std::size_t begin = text.find(';');
    if (begin != std::string::npos)
      lines.push_back(text.substr(begin + 1, text.find('\n') - begin - 1));
  }
}

}  // namespace kassay
