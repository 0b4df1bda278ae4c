// Whom QEMU runs as. kassay needs no root; where it has it nevertheless, QEMU does not.
#pragma once

#include <optional>

#include "harness/base/process/child_process.h"
#include "harness/base/result.h"

namespace kassay {

// nobody, with the group that may open /dev/kvm, when kassay is root and may change users; nothing
// when QEMU runs as kassay's own user.
[[nodiscard]] std::optional<UserIdentity> QemuUser();

// Makes the open file that user's own, so that QEMU may open it again through /proc/self/fd.
[[nodiscard]] Status GiveToQemu(int fd);

}  // namespace kassay
