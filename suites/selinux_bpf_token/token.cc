#include "suites/selinux_bpf_token/token.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "suites/selinux_bpf_token/fd_passing.h"
#include "suites/selinux_bpf_token/policy.h"
#include "suites/support/syscall_matchers.h"
#include "suites/support/user_namespace.h"

namespace kassay::selinux {
namespace {

using bpf::Succeeded;

enum class Order { kGrant, kLoadPolicy };

// What goes over the socket; a value that starts with a NUL is left out.
struct Message {
  Order order;
  std::array<std::array<char, 96>, 4> values;
};

constexpr std::array<const char*, 4> kOptions{"delegate_cmds", "delegate_maps", "delegate_progs",
                                              "delegate_attachs"};

void Put(std::array<char, 96>& field, const char* value) {
  if (value != nullptr) strncpy(field.data(), value, field.size() - 1);
}

long Send(int socket, const Message& message, int fd) {
  if (const long error = SendWithFd(socket, &message, sizeof message, fd); error != 0) return error;
  long answer = -EPROTO;
  return recv(socket, &answer, sizeof answer, 0) == sizeof answer ? answer : -EPROTO;
}

bool Receive(int socket, Message* message, UniqueFd* fd) {
  Received received = ReceiveWithFd(socket, message, sizeof *message);
  if (received.bytes != static_cast<long>(sizeof *message)) return false;
  if (received.fd.IsOpen()) *fd = std::move(received.fd);
  return true;
}

long CreateSuperblock(int context, const Message& message) {
  for (std::size_t i = 0; i < kOptions.size(); ++i) {
    const char* value = message.values[i].data();
    if (*value != '\0' && fsconfig(context, FSCONFIG_SET_STRING, kOptions[i], value, 0) != 0)
      return -errno;
  }
  return fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0 ? 0 : -errno;
}

[[noreturn]] void Serve(int socket, const char* domain) {
  const long domain_error = domain == nullptr ? 0 : Become(domain);
  for (;;) {
    Message message{};
    UniqueFd fd;
    if (!Receive(socket, &message, &fd)) _exit(0);
    long answer = domain_error;
    if (answer == 0 && message.order == Order::kGrant) answer = CreateSuperblock(fd.Get(), message);
    if (answer == 0 && message.order == Order::kLoadPolicy) {
      answer = selinux::LoadPolicyFile(message.values[0].data());
      if (answer == 0) answer = SetEnforcing(true);
    }
    if (send(socket, &answer, sizeof answer, 0) < 0) _exit(1);
  }
}

}  // namespace

Grantor::Grantor(const char* domain) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
  socket_.Reset(ends[0]);
  UniqueFd other(ends[1]);
  pid_ = fork();
  if (pid_ == 0) {
    socket_.Reset();
    Serve(other.Get(), domain);
  }
}

Grantor::~Grantor() {
  socket_.Reset();
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
}

long Grantor::Grant(int context, const Delegation& delegation) const {
  Message message{};
  message.order = Order::kGrant;
  Put(message.values[0], delegation.cmds);
  Put(message.values[1], delegation.maps);
  Put(message.values[2], delegation.progs);
  Put(message.values[3], delegation.attachs);
  return Send(socket_.Get(), message, context);
}

long Grantor::LoadPolicyFile(const char* name) const {
  Message message{};
  message.order = Order::kLoadPolicy;
  Put(message.values[0], name);
  return Send(socket_.Get(), message, -1);
}

TokenUser::TokenUser(const Ask& ask) : grantor_(ask.grantor) {
  if (ask.user != nullptr) error_ = Become(ask.user);
  if (error_ == 0) error_ = EnterUserNamespace(CLONE_NEWNS);
  if (error_ != 0) return;
  const UniqueFd context(fsopen("bpf", FSOPEN_CLOEXEC));
  if (!context.IsOpen()) {
    error_ = -errno;
    return;
  }
  error_ = grantor_.Grant(context.Get(), ask.delegation);
  if (error_ != 0) return;
  mount_.Reset(fsmount(context.Get(), FSMOUNT_CLOEXEC, 0));
  directory_.Reset(openat(mount_.Get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_.IsOpen()) error_ = -errno;
}

void PrintTo(const Outcome& outcome, std::ostream* os) {
  *os << "{setup " << ErrnoName(-outcome.setup) << ", token " << ErrnoName(-outcome.token) << ", ";
  PrintTo(outcome.uses, os);
  *os << "}";
}

Outcome MakeAndUse(const Ask& ask) {
  const TokenUser user(ask);
  Outcome outcome;
  outcome.setup = static_cast<int>(user.Error());
  if (outcome.setup != 0) return outcome;
  const UniqueFd token(static_cast<int>(bpf::CreateToken(user.Bpffs())));
  outcome.token = token.IsOpen() ? 0 : token.Get();
  if (token.IsOpen()) outcome.uses = bpf::UseAll(token.Get());
  return outcome;
}

Outcome NoToken(int error_number) { return {0, -error_number, {}}; }
Outcome Used(const bpf::Uses& uses) { return {0, 0, uses}; }

}  // namespace kassay::selinux
