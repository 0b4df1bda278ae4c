// Where guests come from: the seam between those who run programs in machines and what the machines
// are made of. Unit tests put a lab of their own here.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "harness/base/result.h"
#include "harness/result/run_result.h"
#include "harness/target/guest.h"

namespace kassay {

// Takes one line for a person about the surroundings (a fallback to emulation, a module that did
// not load), maybe from several threads. May be empty.
using NoteSink = std::function<void(const std::string&)>;

// What the machines of a profile turned out to be.
struct TargetFacts {
  std::string emulator;      // the version of what carries the machine: "7.2.22 (Debian ...)"
  std::string accelerator;   // "kvm" or "tcg"
  std::string why_slow;      // why the accelerator is not the quick one; empty when it is
  std::string cpu;           // the model that the emulator was asked for: "max"
  std::string boot;          // "direct" or "bzimage"
  std::string command_line;  // the kernel's, whole
  std::chrono::milliseconds boot_time{0};  // from the machine's start until its agent answered
  std::optional<Firmware> firmware{};      // if it booted through UEFI
};

class Lab {
 public:
  Lab() = default;
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  virtual ~Lab() = default;

  // Whether machines of these profiles can be had at all, before anything is started: the profiles
  // are known, the kernel boots the way that they ask for, and what carries machines is there.
  [[nodiscard]] virtual Status Ready(const std::set<std::string>& profiles) const = 0;
  // A machine of this profile in which nothing has run yet. The first call for a profile may boot
  // it. Thread-safe.
  [[nodiscard]] virtual Result<std::unique_ptr<Guest>> Fresh(const std::string& profile,
                                                             const NoteSink& note) = 0;
  // Where a suite's executable is in a machine of this profile.
  [[nodiscard]] virtual std::string SuitePath(const std::string& profile,
                                              const std::string& suite) const = 0;
  // By profile, of those that there have been so far.
  [[nodiscard]] virtual std::map<std::string, TargetFacts> Facts() const = 0;
  // A machine of this profile on the caller's terminal: a shell as root, the suites in its PATH.
  // Returns when the person leaves it.
  [[nodiscard]] virtual Status Shell(const std::string& profile, const NoteSink& /*note*/) {
    return Fail("machines of the profile " + profile + " have no terminal");
  }
};

}  // namespace kassay
