// The package mirrors that this machine's apt is configured for.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace kassay {

struct AptSource {
  std::string uri;
  std::string suite;
  std::vector<std::string> components;
};

// The binary ("deb") sources of a one-line-style file and of a deb822-style file (sources.list(5)).
// What cannot be understood is passed over, as apt's own error is not ours to give.
[[nodiscard]] std::vector<AptSource> ParseOneLineSources(std::string_view text);
[[nodiscard]] std::vector<AptSource> ParseDeb822Sources(std::string_view text);

// Roots of mirrors that may have Debian's pool, likeliest first, each once: http, https and file
// addresses of sources with the component main, security archives left out (their pool is another).
// `apt_dir` is /etc/apt.
[[nodiscard]] std::vector<std::string> MirrorsOfApt(const std::filesystem::path& apt_dir);

}  // namespace kassay
