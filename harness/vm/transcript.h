// What an agent says about one run, checked as it comes: the guest is not trusted. Knows nothing of
// sockets, so that it can be tested and fuzzed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/protocol/message.h"
#include "harness/target/guest.h"
#include "harness/vm/tail_buffer.h"

namespace kassay {

// Bounds on what one run may leave in the host's memory.
inline constexpr std::size_t kMaxRunRecords = 16 * kMaxRecordsPerCase;
inline constexpr std::size_t kMaxRunRecordBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxRunKernelLines = 4000;
inline constexpr std::size_t kMaxRunOutputBytes = std::size_t{256} << 10;

class Transcript {
 public:
  explicit Transcript(std::function<void(const std::string&)> on_record)
      : on_record_(std::move(on_record)) {}

  // Bytes from the guest. An Error says how the guest broke the protocol; nothing may follow it.
  [[nodiscard]] Status Append(std::string_view bytes);

  [[nodiscard]] bool Finished() const { return stage_ == Stage::kDone; }
  // What is known so far, whole once Finished(); `end` is only right then.
  [[nodiscard]] GuestOutcome Take();

 private:
  enum class Stage { kRunning, kEnded, kDone };
  [[nodiscard]] Status Accept(protocol::Message message);
  [[nodiscard]] Status On(protocol::Record record);
  [[nodiscard]] Status On(const protocol::Output& output);
  [[nodiscard]] Status On(const protocol::Ended& ended);
  [[nodiscard]] Status On(const protocol::KernelLine& line);
  [[nodiscard]] Status On(const protocol::Done& done);

  std::function<void(const std::string&)> on_record_;
  protocol::FrameReader reader_;
  Stage stage_ = Stage::kRunning;
  GuestOutcome outcome_;
  TailBuffer output_{kMaxRunOutputBytes};
  std::size_t record_bytes_ = 0;
  std::uint64_t kernel_lines_left_out_ = 0;
};

}  // namespace kassay
