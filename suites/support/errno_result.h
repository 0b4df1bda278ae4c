// The result of a system call in one number.
#pragma once

#include <cerrno>

namespace kassay {

// What the call returned, or -errno if it failed.
inline long OrErrno(long result) { return result < 0 ? -errno : result; }

}  // namespace kassay
