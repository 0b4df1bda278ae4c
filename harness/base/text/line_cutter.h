// Cuts a stream of bytes into lines.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace kassay {

class LineCutter {
 public:
  // `on_line` gets each whole line without its newline; of a longer one the first `max_bytes`.
  LineCutter(std::size_t max_bytes, std::function<void(std::string)> on_line)
      : max_bytes_(max_bytes), on_line_(std::move(on_line)) {}

  void Add(std::string_view bytes) {
    for (const char byte : bytes) {
      if (byte == '\n') {
        on_line_(std::exchange(line_, {}));
      } else if (line_.size() < max_bytes_) {
        line_ += byte;
      }
    }
  }

  // Hands on what was left without its newline, if anything.
  void Finish() {
    if (!line_.empty()) on_line_(std::exchange(line_, {}));
  }

 private:
  std::size_t max_bytes_;
  std::function<void(std::string)> on_line_;
  std::string line_;
};

}  // namespace kassay
