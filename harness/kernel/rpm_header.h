// What an rpm says of itself: the tags of its header (rpm.org, "RPM v4 Package format": a lead of
// 96 bytes, a signature header padded to 8 bytes, the header). libarchive reads the payload alone.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace kassay {

struct RpmHeader {
  std::string name;
  std::string version;  // [EPOCH:]VERSION-RELEASE, an epoch of 0 left out
  std::string vendor;   // as the package writes it: "Fedora Project"
  std::string architecture;
};

// `bytes` is the package's beginning. Every length in it is checked against what is there; what
// does not fit is an Error that says so. Tags of another type than they ought to have are left out.
[[nodiscard]] Result<RpmHeader> ParseRpmHeader(std::string_view bytes);

// The same of a file; at most 32 MiB of it are read.
[[nodiscard]] Result<RpmHeader> ReadRpmHeader(const std::filesystem::path& package);

}  // namespace kassay
