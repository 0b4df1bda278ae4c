#include <charconv>
#include <string>

#include "harness/kernel/kernel.h"

namespace kassay {

Result<KernelVersion> ParseKernelVersion(std::string_view release) {
  const auto bad = [&] {
    return Fail("'" + std::string(release) +
                "' is not a kernel version: expected MAJOR[.MINOR[.PATCH]] and then anything");
  };
  KernelVersion version;
  const char* at = release.data();
  const char* const end = at + release.size();
  for (int* part : {&version.major, &version.minor, &version.patch}) {
    const bool is_digit = at != end && *at >= '0' && *at <= '9';
    const auto [next, error] = std::from_chars(at, end, *part);
    if (!is_digit || error != std::errc()) return bad();
    at = next;
    if (at == end || *at != '.') break;
    ++at;
  }
  return version;
}

}  // namespace kassay
