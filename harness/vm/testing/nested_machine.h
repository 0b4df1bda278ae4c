// A machine with KVM on a host that has none: QEMU emulates an AMD CPU with SVM, and Debian's
// kernel brings kvm-amd. In its memory is all that kassay needs to run a kernel there: the program
// with its suites, QEMU with its firmware, their libraries, an unpacked kernel, and what the suites
// prepared for it.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/installation.h"
#include "harness/base/result.h"
#include "harness/target/guest.h"

namespace kassay::testing {

struct NestedMachineSpec {
  Installation installation;
  std::string kernel;                           // pinned: outside and inside
  std::vector<std::filesystem::path> programs;  // executables; inside they are in PATH
  std::filesystem::path scratch;                // a folder for the machine's image, some 250 MB
};

class NestedMachine {
 public:
  // Inside, `kassay run` wants these: a profile in which a part of every suite can run, so that one
  // snapshot is made instead of eight, and the headers that prepared files are filed under.
  static constexpr const char* kOptions = "--profile nested --headers /opt/headers";
  // The model for machines inside. The host's, which is QEMU's own emulated one here, has more of
  // the extended state than the emulation of SVM carries over.
  static constexpr const char* kCpu = "qemu64";

  // Boots it. KVM is there, and its device as the kernel makes it: for root alone.
  [[nodiscard]] static Result<NestedMachine> Boot(const NestedMachineSpec& spec);

  // A shell script inside, as root in a folder of its own (/tmp), which the next one finds as it
  // was left.
  [[nodiscard]] Result<GuestOutcome> Run(const std::string& script, std::chrono::seconds limit);

 private:
  explicit NestedMachine(std::unique_ptr<Guest> guest) : guest_(std::move(guest)) {}

  std::unique_ptr<Guest> guest_;
};

}  // namespace kassay::testing
