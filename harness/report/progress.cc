#include "harness/report/progress.h"

#include <fmt/format.h>

#include "harness/report/printable.h"

namespace kassay {
namespace {

constexpr auto kQuietInterval = std::chrono::seconds(15);

std::string Duration(std::chrono::seconds time) {
  const long seconds = time.count();
  return seconds < 60 ? fmt::format("{} s", seconds)
                      : fmt::format("{}:{:02} min", seconds / 60, seconds % 60);
}

}  // namespace

Progress::Progress(std::ostream& out, bool terminal, Clock clock)
    : out_(out), terminal_(terminal), clock_(std::move(clock)), began_(clock_()) {}

void Progress::Print(const std::string& line) {
  if (line_is_up_) out_ << "\r\033[K";
  line_is_up_ = false;
  out_ << line << "\n";
}

void Progress::Note(const std::string& text) {
  Print("note: " + PrintableLine(text));
  Show();
}

void Progress::Phase(const std::string& text) {
  phase_ = text;
  if (!terminal_) Print(PrintableLine(text));
  Show();
}

void Progress::Plan(std::size_t cases, std::size_t done_before) {
  planned_ = cases;
  began_ = last_shown_ = clock_();
  phase_.clear();
  if (done_before > 0) Print(fmt::format("{} results are there already", done_before));
  Show();
}

void Progress::Finished(const CaseResult& result) {
  ++done_;
  if (result.attempts > 0) ++ran_;
  if (IsNonconformant(result.verdict) || result.verdict == Verdict::kError) {
    ++(result.erratum ? known_ : unknown_);
    Print(fmt::format("{}: {}: {}", ToString(result.verdict), PrintableLine(result.Id()),
                      PrintableLine(result.reason, 200)));
  }
  Show();
}

std::string Progress::State() const {
  if (!phase_.empty()) return PrintableLine(phase_);
  std::string state = fmt::format("{}/{} cases", done_, planned_);
  if (known_ + unknown_ > 0) {
    state += fmt::format(", {} failed", known_ + unknown_);
    if (known_ > 0) state += fmt::format(" ({} known)", known_);
  }
  const auto spent = std::chrono::duration_cast<std::chrono::seconds>(clock_() - began_);
  if (ran_ > 0 && done_ < planned_) {
    const auto left = static_cast<long>(planned_ - done_);
    state += ", " + Duration(spent * left / static_cast<long>(ran_)) + " to go";
  }
  return state;
}

void Progress::Show() {
  if (terminal_) {
    out_ << "\r\033[K" << State() << std::flush;
    line_is_up_ = true;
    return;
  }
  if (planned_ == 0 || clock_() - last_shown_ < kQuietInterval) return;
  last_shown_ = clock_();
  Print(State());
  out_ << std::flush;
}

void Progress::End() {
  if (line_is_up_) out_ << "\r\033[K" << std::flush;
  line_is_up_ = false;
}

}  // namespace kassay
