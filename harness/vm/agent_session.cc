#include "harness/vm/agent_session.h"

#include <openssl/rand.h>
#include <sys/socket.h>

#include <algorithm>

#include "harness/base/process/pipe.h"
#include "harness/vm/transcript.h"

namespace kassay {
namespace {

Result<protocol::RunRequest> MakeRequest(const GuestCommand& command) {
  protocol::RunRequest request;
  request.argv = command.argv;
  request.limit_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(command.limit.count(), 0));
  request.log_name = command.log_name.substr(0, kMaxCaseNameBytes);
  const bool fits = !command.argv.empty() && command.argv.size() <= protocol::kMaxArguments &&
                    std::all_of(command.argv.begin(), command.argv.end(),
                                [](const std::string& argument) {
                                  return argument.size() <= protocol::kMaxArgumentBytes &&
                                         argument.find('\0') == std::string::npos;
                                }) &&
                    request.limit_ms <= protocol::kMaxLimitMs;
  if (!fits) return Fail("a command that is too long for a guest", ErrorKind::kUsage);
  request.wall_clock_ns = static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count());
  if (::RAND_bytes(reinterpret_cast<unsigned char*>(request.entropy.data()),
                   static_cast<int>(request.entropy.size())) != 1)
    return Fail("no random bytes for the guest");
  return request;
}

}  // namespace

Status AgentSession::Exchange(Carrier& carrier, Carrier::Clock::time_point deadline,
                              const std::function<void(std::string_view)>& sink) {
  const auto send = [this] {
    while (!to_send_.empty() && socket_.IsOpen()) {
      const ssize_t put =
          ::send(socket_.Get(), to_send_.data(), to_send_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put <= 0) return;
      to_send_.erase(0, static_cast<std::size_t>(put));
    }
  };
  send();
  const int events = to_send_.empty() ? POLLIN : POLLIN | POLLOUT;
  KASSAY_CHECK(carrier.Wait({socket_.Get(), static_cast<short>(events), 0}, deadline));
  send();
  Drain(socket_, sink);
  return {};
}

Result<AgentSession::Greeting> AgentSession::WaitForHello(Carrier& carrier,
                                                          Carrier::Clock::time_point deadline) {
  protocol::FrameReader reader;
  while (true) {
    KASSAY_CHECK(
        Exchange(carrier, deadline, [&reader](std::string_view bytes) { reader.Append(bytes); }));
    const auto frame = reader.Next();
    if (!frame) return Greeting{{}, "the guest broke the protocol: " + frame.error().message};
    if (*frame) {
      const auto message = protocol::Decode(**frame);
      if (!message) return Greeting{{}, "the guest broke the protocol: " + message.error().message};
      const auto* hello = std::get_if<protocol::Hello>(&*message);
      if (hello == nullptr) return Greeting{{}, "the guest spoke before its hello"};
      return Greeting{*hello, {}};
    }
    if (carrier.IsOver() || carrier.Now() >= deadline) return Greeting{};
  }
}

Result<GuestOutcome> AgentSession::Run(Carrier& carrier, const GuestCommand& command,
                                       const std::function<void(const std::string&)>& on_record) {
  KASSAY_TRY(const protocol::RunRequest request, MakeRequest(command));
  Drain(socket_, [](std::string_view) {});  // what the agent said when nobody asked
  Transcript transcript(on_record);
  Status truth;
  const auto sink = [&](std::string_view bytes) {
    if (truth) truth = transcript.Append(bytes);
  };
  to_send_ += protocol::Encode(request);
  const auto deadline = carrier.Now() + command.limit + kAgentGrace;
  std::optional<GuestOutcome::End> cut_short;
  while (!cut_short) {
    KASSAY_CHECK(Exchange(carrier, deadline, sink));
    if (transcript.Finished() || !truth) break;
    KASSAY_TRY(cut_short, carrier.CutShort(deadline));
  }
  GuestOutcome outcome = transcript.Take();
  if (!truth) {
    outcome.end = GuestOutcome::End::kLied;
    outcome.detail = "the guest broke the protocol: " + truth.error().message;
  } else if (cut_short) {
    outcome.end = *cut_short;
  }
  return outcome;
}

}  // namespace kassay
