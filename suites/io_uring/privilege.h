// The privilege that a task restriction asks for. Users and namespaces are in
// suites/support/user_namespace.h.
#pragma once

#include <sys/prctl.h>

#include <cerrno>

#include "suites/support/user_namespace.h"

namespace kassay::uring {

// For children: it cannot be undone. Returns 0 or a negative errno.
inline int SetNoNewPrivs() { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno; }

}  // namespace kassay::uring
