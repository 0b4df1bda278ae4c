#include "harness/vm/qemu_user.h"

#include <pwd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace kassay {
namespace {

UserIdentity Nobody() {
  UserIdentity user{65534, 65534, {}};
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer;
  if (::getpwnam_r("nobody", &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    user = {found->pw_uid, found->pw_gid, {}};
  struct stat kvm {};
  if (::stat("/dev/kvm", &kvm) == 0 && (kvm.st_mode & S_IRGRP) != 0 && (kvm.st_mode & S_IWGRP) != 0)
    user.groups = {kvm.st_gid};
  return user;
}

}  // namespace

std::optional<UserIdentity> QemuUser() {
  static const std::optional<UserIdentity> user = [] {
    if (::geteuid() != 0) return std::optional<UserIdentity>();
    // In a user namespace root may have no other user to become.
    const UserIdentity nobody = Nobody();
    const UniqueFd file(::memfd_create("kassay-user", MFD_CLOEXEC));
    const bool possible = file.IsOpen() && ::fchown(file.Get(), nobody.uid, nobody.gid) == 0;
    return possible ? std::optional(nobody) : std::nullopt;
  }();
  return user;
}

Status GiveToQemu(int fd) {
  const std::optional<UserIdentity> user = QemuUser();
  if (user && ::fchown(fd, user->uid, user->gid) != 0)
    return FailErrno("cannot give a file to the user that QEMU runs as");
  return {};
}

}  // namespace kassay
