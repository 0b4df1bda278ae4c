// Why a boot did not come up: the kind for the program, the message for a person.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "harness/base/result.h"

namespace kassay {

struct BootFailure {
  enum class Kind {
    kHarness,       // not the machine's doing: no room, an image that cannot be booted, the monitor
    kInterrupted,   // Ctrl-C
    kEmulatorDied,  // QEMU ended or stopped the machine, and the kernel did not say why
    kKernelDied,    // the console says that the kernel panicked
    kNoOutput,      // the limit passed, and the console stayed empty
    kNoAgent,       // the limit passed after the kernel had spoken
    kBadAgent,      // the agent broke the protocol or speaks another version of it
  };
  Kind kind = Kind::kHarness;
  Error error;          // what happened, QEMU's words and the console's last lines
  std::string console;  // its last part, 256 KiB at least if there was so much

  BootFailure(Kind what, Error why, std::string_view said)
      : kind(what), error(std::move(why)), console(said) {}
  // What is no machine's doing. NOLINTNEXTLINE(google-explicit-constructor): as KASSAY_TRY needs it
  BootFailure(Error why)
      : kind(why.kind == ErrorKind::kInterrupted ? Kind::kInterrupted : Kind::kHarness),
        error(std::move(why)) {}
};

template <typename T>
using BootResult = tl::expected<T, BootFailure>;

}  // namespace kassay
