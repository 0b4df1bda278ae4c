// The virtio-serial port to the host.
#pragma once

#include <chrono>
#include <optional>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"
#include "harness/protocol/message.h"

namespace kassay::guest {

class Port {
 public:
  // Waits up to `patience` for the driver to make the port known.
  [[nodiscard]] static Result<Port> Open(std::chrono::milliseconds patience);

  // For poll(2).
  [[nodiscard]] int fd() const { return fd_.Get(); }
  // Blocks until the host took it. A host that is gone is no error here: its machine is gone too.
  void Send(const protocol::Message& message);
  // What has arrived whole, but for pings, which it answers; nothing without blocking if nothing
  // has. An Error if the host's bytes make no sense.
  [[nodiscard]] Result<std::optional<protocol::Message>> Receive();

 private:
  explicit Port(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  protocol::FrameReader reader_;
};

}  // namespace kassay::guest
