// The last part of a stream, for evidence.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kassay {

class TailBuffer {
 public:
  explicit TailBuffer(std::size_t most) : most_(most) {}

  void Append(std::string_view bytes) {
    text_ += bytes;
    if (text_.size() <= 2 * most_) return;
    const std::size_t surplus = text_.size() - most_;
    dropped_ += surplus;
    text_.erase(0, surplus);
  }
  void Clear() {
    text_.clear();
    dropped_ = 0;
  }
  // At most `most` bytes, with a first line that says how much is missing.
  [[nodiscard]] std::string Text() const {
    const std::size_t surplus = text_.size() > most_ ? text_.size() - most_ : 0;
    if (dropped_ + surplus == 0) return text_;
    return "[" + std::to_string(dropped_ + surplus) + " bytes before this are left out]\n" +
           text_.substr(surplus);
  }
  [[nodiscard]] std::string_view Raw() const { return text_; }

 private:
  std::size_t most_;
  std::size_t dropped_ = 0;
  std::string text_;
};

}  // namespace kassay
