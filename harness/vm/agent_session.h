// The conversation with a guest's agent, over a socket whose other end is in the guest. It knows
// nothing of what carries the guest; that shows itself as a Carrier.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"
#include "harness/protocol/message.h"
#include "harness/target/guest.h"

namespace kassay {

// Beyond a program's limit: for the agent to kill what is left, to read the kernel log, and for a
// host that is busy with other machines.
inline constexpr std::chrono::seconds kAgentGrace{10};

// The machine around the agent, and the clock that its limits are measured with.
class Carrier {
 public:
  using Clock = std::chrono::steady_clock;
  Carrier() = default;
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;
  virtual ~Carrier() = default;

  [[nodiscard]] virtual Clock::time_point Now() const { return Clock::now(); }
  // Waits until `agent` is ready or something happens to the machine, at the latest until
  // `deadline`. An Error ends the conversation: an interrupt, or the carrier's own fault.
  [[nodiscard]] virtual Status Wait(const pollfd& agent, Clock::time_point deadline) = 0;
  // The machine ended or stands still: no more will come.
  [[nodiscard]] virtual bool IsOver() const = 0;
  // How the machine ends a program's run before the agent does; nothing while the run goes on. An
  // Error is the carrier's own fault.
  [[nodiscard]] virtual Result<std::optional<GuestOutcome::End>> CutShort(
      Clock::time_point deadline) = 0;
};

class AgentSession {
 public:
  explicit AgentSession(UniqueFd socket) : socket_(std::move(socket)) {}

  struct Greeting {
    std::optional<protocol::Hello> hello;
    std::string lie;  // how the guest broke the protocol; empty if it did not
  };
  // The first thing that an agent says. Neither if the machine is over or `deadline` passes before.
  [[nodiscard]] Result<Greeting> WaitForHello(Carrier& carrier,
                                              Carrier::Clock::time_point deadline);

  // Has the agent run a program and listens to the end, or until `carrier` cuts it short; then
  // `detail` and `console` are for the caller to fill. A usage error if the command does not fit
  // into a request. `on_record` as for Guest::Run.
  [[nodiscard]] Result<GuestOutcome> Run(Carrier& carrier, const GuestCommand& command,
                                         const std::function<void(const std::string&)>& on_record);

 private:
  // Waits, then sends what is to be sent and takes what has come.
  [[nodiscard]] Status Exchange(Carrier& carrier, Carrier::Clock::time_point deadline,
                                const std::function<void(std::string_view)>& sink);

  UniqueFd socket_;
  std::string to_send_;  // not yet taken by the socket
};

}  // namespace kassay
