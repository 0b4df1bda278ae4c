#include "harness/base/process/program.h"

#include <poll.h>

#include <algorithm>

#include "harness/base/interrupt.h"

namespace kassay {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Keeps what has room.
Sink AppendTo(std::string& text, std::size_t max_bytes) {
  return [&text, max_bytes](std::string_view bytes) {
    const std::size_t room = max_bytes - text.size();
    text.append(bytes.substr(0, room));
    return bytes.size() <= room;
  };
}

}  // namespace

std::string Ending::Words() const {
  if (timed_out) return "did not end within its time limit";
  if (cut) return "printed more than it may";
  return status.Words();
}

Result<Stream> MakeStream(Sink sink) {
  KASSAY_TRY(Pipe pipe, MakePipe());
  return Stream{std::move(pipe), std::move(sink)};
}

Result<Ending> Supervise(ChildProcess& child, std::vector<Stream>& streams, const Limits& limits) {
  const auto deadline = limits.time ? Clock::now() + *limits.time : Clock::time_point::max();
  Ending ending;
  const auto take = [&] {
    for (Stream& stream : streams) {
      Drain(stream.pipe.reading, [&](std::string_view bytes) {
        if (!ending.cut && !stream.sink(bytes)) ending.cut = true;
      });
    }
  };
  while (true) {
    std::vector<pollfd> waiting{{child.pidfd(), POLLIN, 0}, {InterruptFd(), POLLIN, 0}};
    for (const Stream& stream : streams) waiting.push_back({stream.pipe.reading.Get(), POLLIN, 0});
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    const int ready =
        ::poll(waiting.data(), waiting.size(), static_cast<int>(std::clamp(left, 0L, 60'000L)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return FailErrno("poll");
    if (waiting[1].revents != 0) {
      child.End(limits.grace);
      return Fail(Interruption());
    }
    take();
    const bool ended = waiting[0].revents != 0;
    ending.timed_out = !ended && Clock::now() >= deadline;
    if (!ended && !ending.timed_out && !ending.cut) continue;
    ending.status = child.End();
    take();
    return ending;
  }
}

Result<Ending> StreamProgram(const Command& command, const Limits& limits, Sink sink) {
  std::vector<Stream> streams(1);
  KASSAY_TRY(streams[0], MakeStream(std::move(sink)));
  const int writing = streams[0].pipe.writing.Get();
  KASSAY_TRY(ChildProcess child,
             ChildProcess::Start(command, {.output = writing, .errors = writing}));
  return Supervise(child, streams, limits);
}

Result<ProgramOutcome> RunProgram(const Command& command, const Limits& limits,
                                  std::vector<Stream> more) {
  ProgramOutcome outcome;
  Attachments attached;
  for (const Stream& stream : more) attached.inherited.push_back(stream.pipe.writing.Get());
  KASSAY_TRY(Stream output, MakeStream(AppendTo(outcome.standard_output, limits.output_bytes)));
  KASSAY_TRY(Stream errors, MakeStream(AppendTo(outcome.standard_error, limits.output_bytes)));
  attached.output = output.pipe.writing.Get();
  attached.errors = errors.pipe.writing.Get();
  std::vector<Stream> streams = std::move(more);
  streams.push_back(std::move(output));
  streams.push_back(std::move(errors));
  KASSAY_TRY(ChildProcess child, ChildProcess::Start(command, attached));
  KASSAY_TRY(outcome.ending, Supervise(child, streams, limits));
  return outcome;
}

}  // namespace kassay
