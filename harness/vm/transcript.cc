#include "harness/vm/transcript.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <utility>
#include <variant>

namespace kassay {

Status Transcript::Append(std::string_view bytes) {
  reader_.Append(bytes);
  while (true) {
    KASSAY_TRY(auto frame, reader_.Next());
    if (!frame) return {};
    KASSAY_TRY(auto message, protocol::Decode(*frame));
    KASSAY_CHECK(Accept(std::move(message)));
  }
}

Status Transcript::Accept(protocol::Message message) {
  if (stage_ == Stage::kDone) return Fail("a message after the end of the run");
  if (auto* record = std::get_if<protocol::Record>(&message)) return On(std::move(*record));
  if (const auto* output = std::get_if<protocol::Output>(&message)) return On(*output);
  if (const auto* ended = std::get_if<protocol::Ended>(&message)) return On(*ended);
  if (const auto* line = std::get_if<protocol::KernelLine>(&message)) return On(*line);
  if (const auto* done = std::get_if<protocol::Done>(&message)) return On(*done);
  if (std::holds_alternative<protocol::Pong>(message)) return {};
  return Fail("a message that has no place in a run");
}

Status Transcript::On(protocol::Record record) {
  if (stage_ != Stage::kRunning) return Fail("a record after the program's end");
  record_bytes_ += record.line.size();
  if (outcome_.records.size() >= kMaxRunRecords || record_bytes_ > kMaxRunRecordBytes)
    return Fail("more records than a run may have");
  if (on_record_) on_record_(record.line);
  outcome_.records.push_back(std::move(record.line));
  return {};
}

Status Transcript::On(const protocol::Output& output) {
  if (stage_ != Stage::kRunning) return Fail("output after the program's end");
  output_.Append(output.bytes);
  return {};
}

Status Transcript::On(const protocol::Ended& ended) {
  using How = protocol::Ended::How;
  using End = GuestOutcome::End;
  if (stage_ != Stage::kRunning) return Fail("a second end of the program");
  constexpr std::array kEnds = {End::kExited, End::kSignalled, End::kTimedOut, End::kExited};
  stage_ = Stage::kEnded;
  outcome_.end = kEnds.at(static_cast<std::size_t>(ended.how));
  outcome_.status = ended.status;
  if (ended.how == How::kNotStarted) {  // as a shell would end: 126 or 127
    outcome_.status = ended.status == ENOENT ? 127 : 126;
    outcome_.detail = "the program did not start: " + ended.detail + ": " +
                      std::strerror(ended.status);  // NOLINT(concurrency-mt-unsafe)
  } else if (!ended.detail.empty()) {
    outcome_.detail = "SIGKILL does not end " + ended.detail;
  }
  return {};
}

Status Transcript::On(const protocol::KernelLine& line) {
  if (stage_ != Stage::kEnded) return Fail("a kernel line before the program's end");
  if (outcome_.kernel_log.size() < kMaxRunKernelLines) {
    // As `dmesg -r` would.
    outcome_.kernel_log.push_back(fmt::format("<{}>[{:5}.{:06}] {}", line.level,
                                              line.microseconds / 1'000'000,
                                              line.microseconds % 1'000'000, line.text));
  } else {
    ++kernel_lines_left_out_;
  }
  return {};
}

Status Transcript::On(const protocol::Done& done) {
  if (stage_ != Stage::kEnded) return Fail("an end of the run before the program's end");
  stage_ = Stage::kDone;
  outcome_.taint_before = done.taint_before;
  outcome_.taint_after = done.taint_after;
  if (kernel_lines_left_out_ > 0)
    outcome_.kernel_log.push_back(fmt::format("[{} more lines left out]", kernel_lines_left_out_));
  if (done.lost_kernel_lines > 0)
    outcome_.kernel_log.push_back("[the kernel overwrote lines before they were read]");
  return {};
}

GuestOutcome Transcript::Take() {
  outcome_.output = output_.Text();
  return std::move(outcome_);
}

}  // namespace kassay
