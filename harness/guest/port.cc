#include "harness/guest/port.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "harness/guest/small_file.h"

namespace kassay::guest {
namespace {

constexpr const char* kPorts = "/sys/class/virtio-ports";

// "vport1p1" for the port that the host named ours; empty while there is none.
std::string DeviceName() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(kPorts), &::closedir);
  if (!folder) return {};
  while (const dirent* entry = ::readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string name = entry->d_name;
    if (name.starts_with('.')) continue;
    if (ReadSmallFile(std::string(kPorts) + "/" + name + "/name", 256) ==
        std::string(protocol::kPortName) + "\n")
      return name;
  }
  return {};
}

}  // namespace

Result<Port> Port::Open(std::chrono::milliseconds patience) {
  constexpr auto kStep = std::chrono::milliseconds(10);
  for (auto waited = std::chrono::milliseconds(0); waited <= patience; waited += kStep) {
    if (const std::string name = DeviceName(); !name.empty()) {
      UniqueFd fd(::open(("/dev/" + name).c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
      if (fd.IsOpen()) return Port(std::move(fd));
    }
    ::usleep(std::chrono::microseconds(kStep).count());
  }
  return Fail(std::string("no virtio-serial port named ") + protocol::kPortName +
              " (this needs CONFIG_VIRTIO_PCI and CONFIG_VIRTIO_CONSOLE)");
}

void Port::Send(const protocol::Message& message) {
  const std::string bytes = protocol::Encode(message);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t put = ::write(fd_.Get(), rest.data(), rest.size());
    if (put > 0) {
      rest.remove_prefix(static_cast<std::size_t>(put));
      continue;
    }
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno != EAGAIN) return;
    pollfd wait{fd_.Get(), POLLOUT, 0};
    static_cast<void>(::poll(&wait, 1, 1000));
  }
}

Result<std::optional<protocol::Message>> Port::Receive() {
  while (true) {
    KASSAY_TRY(const auto frame, reader_.Next());
    if (frame) {
      KASSAY_TRY(auto message, protocol::Decode(*frame));
      const auto* ping = std::get_if<protocol::Ping>(&message);
      if (ping == nullptr) return std::optional(std::move(message));
      Send(protocol::Pong{ping->token});
      continue;
    }
    char chunk[4096];
    const ssize_t got = ::read(fd_.Get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::optional<protocol::Message>();
    reader_.Append({chunk, static_cast<std::size_t>(got)});
  }
}

}  // namespace kassay::guest
