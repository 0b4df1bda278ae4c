// Two processes that make a token together: the grantor, root in the initial user namespace, who
// says what is delegated and creates the superblock; and the user, root of a user namespace of its
// own, who opens the bpffs and asks for tokens. For use in a child (InChild).
#pragma once

#include <sys/types.h>

#include <ostream>

#include "harness/base/unique_fd.h"
#include "suites/selinux_bpf_token/bpf_objects.h"

namespace kassay::selinux {

// Values of the mount options; null leaves one out.
struct Delegation {
  const char* cmds = "any";
  const char* maps = "any";
  const char* progs = "any";
  const char* attachs = "any";
};
inline constexpr Delegation kNothing{nullptr, nullptr, nullptr, nullptr};
// Values of delegate_cmds, by number: names need the kernel's BTF
// (kernel/bpf/inode.c:find_bpffs_btf_enums).
inline constexpr const char* kMapCreate = "0x1";    // 1 << BPF_MAP_CREATE
inline constexpr const char* kProgLoad = "0x20";    // 1 << BPF_PROG_LOAD
inline constexpr const char* kBtfLoad = "0x40000";  // 1 << BPF_BTF_LOAD

class Grantor {
 public:
  // Forks; the process goes into the domain (null: stays) and serves until it is destroyed.
  explicit Grantor(const char* domain);
  ~Grantor();
  Grantor(const Grantor&) = delete;
  Grantor& operator=(const Grantor&) = delete;

  // Sets the options on the file system context and creates the superblock. 0 or -errno of the
  // first step that failed.
  [[nodiscard]] long Grant(int context, const Delegation& delegation) const;
  [[nodiscard]] long LoadPolicyFile(const char* name) const;  // and enforces it

 private:
  UniqueFd socket_;
  pid_t pid_ = -1;
};

struct Ask {
  const char* user = "u_all";  // null: stays in its domain
  const char* grantor = "grant_t";
  Delegation delegation{};
};

// The calling process becomes the user.
class TokenUser {
 public:
  explicit TokenUser(const Ask& ask);

  // 0, or -errno of what failed before there was a bpffs.
  [[nodiscard]] long Error() const { return error_; }
  [[nodiscard]] int Bpffs() const { return directory_.Get(); }  // opened for reading
  [[nodiscard]] int Mount() const { return mount_.Get(); }      // as fsmount gave it: O_PATH
  void CloseBpffs() {
    directory_.Reset();
    mount_.Reset();
  }
  [[nodiscard]] const Grantor& TheGrantor() const { return grantor_; }

 private:
  Grantor grantor_;  // first: forked before the domain changes
  UniqueFd mount_, directory_;
  long error_ = 0;
};

// What came of asking for a token and using it for everything.
struct Outcome {
  int setup = 1;
  int token = 1;
  bpf::Uses uses;
  bool operator==(const Outcome&) const = default;
};
void PrintTo(const Outcome& outcome, std::ostream* os);
[[nodiscard]] Outcome MakeAndUse(const Ask& ask);  // in a child: changes the process
// TOKEN_CREATE failed so; nothing else was tried.
[[nodiscard]] Outcome NoToken(int error_number);
// TOKEN_CREATE worked, and then this.
[[nodiscard]] Outcome Used(const bpf::Uses& uses);

}  // namespace kassay::selinux
