// dmesg_restrict as ACME ships it.
#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "harness/base/unique_fd.h"
#include "suites/support/case.h"
#include "suites/support/errno_result.h"
#include "suites/support/syscall_matchers.h"

namespace {

using namespace kassay;  // NOLINT(google-build-using-namespace)

constexpr const char* kPath = "/proc/sys/kernel/dmesg_restrict";

long Set(std::string_view value) {
  const UniqueFd file(open(kPath, O_WRONLY | O_CLOEXEC));
  return OrErrno(write(file.Get(), value.data(), value.size()));
}

std::string Value() {
  std::string value;
  std::ifstream(kPath) >> value;
  return value;
}

KASSAY_PROBE("acme_sysctl_dmesg") {
  return access(kPath, F_OK) == 0 ? Present("the sysctl is there") : Missing("no dmesg_restrict");
}

KASSAY_CASE(DmesgRestrict, KeepsWhatItWasTold, Cites("ACM-001")) {
  for (const char* value : {"0", "1"}) {
    EXPECT_EQ(Set(value), 1);
    EXPECT_EQ(Value(), value);
  }
}

KASSAY_CASE(DmesgRestrict, RefusesOtherNumbers, Cites("ACM-002")) {
  ASSERT_EQ(Set("1"), 1);
  for (const char* value : {"2", "-1"}) EXPECT_THAT(Set(value), IsErrno(EINVAL)) << value;
  EXPECT_EQ(Value(), "1");
}

}  // namespace
