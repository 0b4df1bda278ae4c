// How a case is written:
//
//   KASSAY_CASE(RingList, DeniesWhatIsNotListed, Cites("IOU-005", "IOU-006")) {
//     ...GoogleTest assertions...
//   }
//
// and how a suite says whether the kernel has a feature:
//
//   KASSAY_PROBE("io_uring_bpf_filter") {
//     ...
//     return Present("EFAULT: the call exists");       // or Missing("EINVAL")
//   }
//
// The requirement IDs are those of the suite's requirements.toml. A case runs only on a kernel that
// has the features of its requirements, unless it is marked .Detection(): those run everywhere and
// assert how a kernel without the feature answers.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/protocol/records.h"

namespace kassay {

class CaseInfo {
 public:
  explicit CaseInfo(std::vector<std::string> requirements)
      : requirements_(std::move(requirements)) {}

  // Wall-clock limit in seconds under emulation; the default suits a case that does not wait.
  CaseInfo Timeout(int seconds) && {
    timeout_s_ = seconds;
    return std::move(*this);
  }
  // Boots with vm/profiles/NAME.toml instead of the suite's own profile.
  CaseInfo Profile(std::string name) && {
    profile_ = std::move(name);
    return std::move(*this);
  }
  // Runs on the build host instead of the guest: what is tested is the kernel's headers.
  CaseInfo OnHost() && {
    on_host_ = true;
    return std::move(*this);
  }
  // Runs on every kernel, with the feature or without.
  CaseInfo Detection() && {
    detection_ = true;
    return std::move(*this);
  }
  // The kernel must panic with a message that matches this ECMAScript regular expression; anything
  // else fails.
  CaseInfo ExpectsPanic(std::string regex) && {
    expects_panic_ = std::move(regex);
    return std::move(*this);
  }
  // The machine must restart, and the console must have said so before it did: a line that matches
  // this expression, "Restarting system with command .*" (kernel/reboot.c:kernel_restart). Both are
  // the end of the kernel as seen from outside, told apart by their words alone.
  CaseInfo ExpectsRestart(std::string regex) && {
    return std::move(*this).ExpectsPanic(std::move(regex));
  }
  // Taint letters (Documentation/admin-guide/tainted-kernels.rst) that the case may bring about
  // without being a crash: "OE" for one that loads an out-of-tree, unsigned module.
  CaseInfo AllowsTaint(std::string letters) && {
    allows_taint_ = std::move(letters);
    return std::move(*this);
  }

  [[nodiscard]] const std::vector<std::string>& requirements() const { return requirements_; }
  [[nodiscard]] int timeout_s() const { return timeout_s_; }
  [[nodiscard]] const std::string& profile() const { return profile_; }
  [[nodiscard]] bool on_host() const { return on_host_; }
  [[nodiscard]] bool detection() const { return detection_; }
  [[nodiscard]] const std::string& expects_panic() const { return expects_panic_; }
  [[nodiscard]] const std::string& allows_taint() const { return allows_taint_; }

 private:
  std::vector<std::string> requirements_;
  int timeout_s_ = 30;
  std::string profile_;
  bool on_host_ = false;
  bool detection_ = false;
  std::string expects_panic_;
  std::string allows_taint_;
};

template <typename... Ids>
CaseInfo Cites(Ids... ids) {
  static_assert(sizeof...(ids) > 0, "a case cites at least one requirement");
  return CaseInfo({std::string(ids)...});
}

// Remembers what a case cites, for --kassay_list. `file` is shortened to the path inside the source
// tree.
class CaseRegistration {
 public:
  CaseRegistration(const char* test_suite, const char* name, CaseInfo info, const char* file,
                   int line);
};

struct ProbeAnswer {
  enum class Seen { kPresent, kMissing, kUnknown } seen;
  std::string detail;  // what was seen, e.g. "io_uring_register(-1, 37, NULL, 1): EFAULT"
};
inline ProbeAnswer Present(std::string detail) {
  return {ProbeAnswer::Seen::kPresent, std::move(detail)};
}
inline ProbeAnswer Missing(std::string detail) {
  return {ProbeAnswer::Seen::kMissing, std::move(detail)};
}

// The surroundings do not let the probe tell: the cases run and say so themselves.
inline ProbeAnswer Unknown(std::string detail) {
  return {ProbeAnswer::Seen::kUnknown, std::move(detail)};
}

class ProbeRegistration {
 public:
  ProbeRegistration(const char* feature, ProbeAnswer (*probe)());
};

#define KASSAY_REGISTER_CASE(test_suite, name, info)                         \
  static const ::kassay::CaseRegistration kassay_case_##test_suite##_##name( \
      #test_suite, #name, info, __FILE__, __LINE__)

#define KASSAY_CASE(test_suite, name, info)     \
  KASSAY_REGISTER_CASE(test_suite, name, info); \
  TEST(test_suite, name)  // NOLINT(cppcoreguidelines-owning-memory): GoogleTest's own factory
#define KASSAY_CASE_F(fixture, name, info)   \
  KASSAY_REGISTER_CASE(fixture, name, info); \
  TEST_F(fixture, name)  // NOLINT(cppcoreguidelines-owning-memory)
// Instantiate with INSTANTIATE_TEST_SUITE_P and a name generator: values make names, numbers do
// not.
#define KASSAY_CASE_P(fixture, name, info)   \
  KASSAY_REGISTER_CASE(fixture, name, info); \
  TEST_P(fixture, name)  // NOLINT(cppcoreguidelines-owning-memory)

#define KASSAY_PROBE_NAME(line) KASSAY_PROBE_NAME_INNER(line)
#define KASSAY_PROBE_NAME_INNER(line) KassayProbe##line
#define KASSAY_PROBE(feature)                                                   \
  static ::kassay::ProbeAnswer KASSAY_PROBE_NAME(__LINE__)();                   \
  static const ::kassay::ProbeRegistration KASSAY_PROBE_REGISTRATION(__LINE__)( \
      feature, &KASSAY_PROBE_NAME(__LINE__));                                   \
  static ::kassay::ProbeAnswer KASSAY_PROBE_NAME(__LINE__)()
#define KASSAY_PROBE_REGISTRATION(line) KASSAY_PROBE_REGISTRATION_INNER(line)
#define KASSAY_PROBE_REGISTRATION_INNER(line) kassay_probe_registration_##line

// An observation that a reader of the report would want to see beside the verdict: an errno, an
// audit record. Every run of one kernel must observe the same: baselines keep it.
void RecordEvidence(std::string_view key, std::string_view value);

// What differs from run to run by its nature: a time, a size, how far a race got. Reports show it
// beside the evidence, baselines leave it out. `unit` as a reader expects it behind the number
// ("ms", "KiB"), empty for a count. A text is for measures that come as one from elsewhere.
void RecordMeasure(std::string_view name, std::int64_t value, std::string_view unit = {});
void RecordMeasure(std::string_view name, std::string_view text);

// Both end the case where they stand, also from a helper or from SetUp: they throw past every
// caller of the case, so none of them can go on. Not in a child process and not in a thread of the
// case's own: there they end the process, and the case fails.

// Leaves the case because the feature (or a part of it) is not in this kernel; `reason` says how
// that was seen.
#define KASSAY_ABSENT(reason) ::kassay::LeaveCase("absent", (reason), __FILE__, __LINE__)

// Leaves the case because something else that it needs is missing in the surroundings; `reason`
// names it. A race that was never hit is unmet, not passed.
#define KASSAY_UNMET(reason) ::kassay::LeaveCase("unmet", (reason), __FILE__, __LINE__)

// The same for want of a key that the kernel trusts. Reports count these apart, and they do not
// turn a run into one that could not test: a vendor's kernel trusts its vendor's keys alone.
#define KASSAY_UNMET_TRUST(reason) \
  ::kassay::LeaveCase("unmet", (reason), __FILE__, __LINE__, ::kassay::kCauseTrust)

[[noreturn]] void LeaveCase(std::string_view verdict, std::string_view reason, const char* file,
                            int line, std::string_view cause = {});

}  // namespace kassay
