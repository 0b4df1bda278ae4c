#include "harness/kernel/testing/loopback_mirror.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace kassay::testing {
namespace {

void SendAll(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(put));
  }
}

std::string ReadRequest(int connection) {
  std::string request;
  char block[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = ::recv(connection, block, sizeof block, 0);
    if (got <= 0) return {};
    request.append(block, static_cast<size_t>(got));
  }
  return request;
}

size_t OffsetOf(const std::string& request) {
  constexpr std::string_view kRange = "Range: bytes=";
  const size_t at = request.find(kRange);
  return at == std::string::npos ? 0
                                 : std::strtoul(request.c_str() + at + kRange.size(), nullptr, 10);
}

}  // namespace

LoopbackMirror::LoopbackMirror() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  // A machine behind a proxy would ask that for the loopback interface too.
  ::setenv("no_proxy", "127.0.0.1", 1);  // NOLINT(concurrency-mt-unsafe): before any thread
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.Get(), generic, size) != 0 || ::listen(listener_.Get(), 8) != 0 ||
      ::getsockname(listener_.Get(), generic, &size) != 0) {
    throw std::runtime_error("no loopback socket");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Loop(); });
}

LoopbackMirror::~LoopbackMirror() {
  stop_ = true;
  ::shutdown(listener_.Get(), SHUT_RDWR);
  thread_.join();
}

std::string LoopbackMirror::Url() const { return fmt::format("http://127.0.0.1:{}", port_); }

void LoopbackMirror::Serve(const std::string& path, const std::string& content) {
  const std::lock_guard lock(mutex_);
  files_[path] = content;
}

std::vector<std::string> LoopbackMirror::Requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void LoopbackMirror::Loop() {
  while (!stop_) {
    const UniqueFd connection(::accept4(listener_.Get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.IsOpen()) Answer(connection.Get());
  }
}

void LoopbackMirror::Answer(int connection) {
  const std::string request = ReadRequest(connection);
  if (request.size() < 6) return;
  const std::string path = request.substr(5, request.find(' ', 5) - 5);  // after "GET /"
  const size_t offset = OffsetOf(request);
  std::string content;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(offset == 0 ? path : fmt::format("{} from {}", path, offset));
    const auto file = files_.find(path);
    if (file == files_.end()) {
      SendAll(connection,
              "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return;
    }
    content = file->second;
  }
  const size_t total = content.size();
  std::string head = "HTTP/1.1 200 OK\r\n";
  if (offset > 0 && ranges_) {
    if (offset >= total) {
      SendAll(connection,
              "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n"
              "Connection: close\r\n\r\n");
      return;
    }
    content.erase(0, offset);
    head = fmt::format("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {}-{}/{}\r\n", offset,
                       total - 1, total);
  }
  head += fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n", content.size());
  const size_t limit = break_off_after_;
  SendAll(connection, head + (limit > 0 ? content.substr(0, limit) : content));
}

}  // namespace kassay::testing
