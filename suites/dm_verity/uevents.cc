#include "suites/dm_verity/uevents.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace kassay::verity {
namespace {

// "ACTION@DEVPATH\0KEY=VALUE\0..." (lib/kobject_uevent.c:kobject_uevent_env).
std::string ValueOf(const std::string& message, const std::string& key) {
  const std::string wanted = std::string(1, '\0') + key + "=";
  const std::size_t at = message.find(wanted);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + wanted.size();
  return message.substr(begin, message.find('\0', begin) - begin);
}

}  // namespace

Uevents::Uevents()
    : socket_(
          socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)) {
  constexpr int kRoom = 8 << 20;
  setsockopt(socket_.Get(), SOL_SOCKET, SO_RCVBUFFORCE, &kRoom, sizeof kRoom);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1;  // the kernel's own
  if (bind(socket_.Get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    socket_.Reset();
}

std::vector<Uevents::Event> Uevents::Corruptions() {
  std::vector<Event> events;
  std::string message(8192, '\0');
  while (true) {
    const ssize_t got = recv(socket_.Get(), message.data(), message.size(), 0);
    if (got <= 0) return events;
    const std::string text = message.substr(0, static_cast<std::size_t>(got));
    const std::string corruption = ValueOf(text, "DM_VERITY_ERR_BLOCK_NR");
    if (corruption.empty()) continue;
    const std::string path = ValueOf(text, "DEVPATH");
    events.push_back({path.substr(path.rfind('/') + 1), ValueOf(text, "ACTION"), corruption});
  }
}

std::size_t LogCounter::Count(const std::string& text) {
  for (std::string& line : log_.Lines()) lines_.push_back(std::move(line));
  return static_cast<std::size_t>(
      std::count_if(lines_.begin(), lines_.end(),
                    [&](const std::string& line) { return line.find(text) != std::string::npos; }));
}

}  // namespace kassay::verity
