#include "harness/kernel/image_header.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>

#include "harness/kernel/file_kind.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// Offsets of Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
constexpr size_t kBootFlagAt = 0x1fe;
constexpr size_t kMagicAt = 0x202;
constexpr size_t kKernelVersionAt = 0x20e;
constexpr size_t kHeaderBase = 0x200;  // kernel_version counts from here
constexpr std::uint16_t kBootFlag = 0xaa55;
constexpr std::string_view kMagic = "HdrS";

constexpr std::string_view kElfMagic = "\177ELF";

constexpr size_t kMaxReleaseBytes = 64;  // __NEW_UTS_LEN
constexpr std::string_view kBanner = "Linux version ";

std::uint16_t Le16(std::string_view bytes, size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) |
                                    static_cast<unsigned char>(bytes[at + 1]) << 8);
}

// The release at the beginning of `text`; it starts with a digit and ends before a space.
std::optional<std::string> ReleaseAt(std::string_view text) {
  const size_t end = text.substr(0, kMaxReleaseBytes + 1).find(' ');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const std::string_view release = text.substr(0, end);
  if (release.front() < '0' || release.front() > '9') return std::nullopt;
  // It becomes part of paths and of reports.
  const bool clean = std::all_of(release.begin(), release.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '/' && c != '%';
  });
  if (!clean) return std::nullopt;
  return std::string(release);
}

// Scans for the banner; "Linux version " without a digit after it is another string of the kernel.
std::optional<std::string> FindBanner(std::istream& in) {
  constexpr size_t kChunk = size_t{1} << 20;
  constexpr size_t kOverlap = kBanner.size() + kMaxReleaseBytes + 1;
  std::string window;
  std::string chunk(kChunk, '\0');
  while (in.read(chunk.data(), kChunk), in.gcount() > 0) {
    window.append(chunk.data(), static_cast<size_t>(in.gcount()));
    for (size_t at = window.find(kBanner); at != std::string::npos;
         at = window.find(kBanner, at + 1)) {
      if (auto release = ReleaseAt(std::string_view(window).substr(at + kBanner.size()))) {
        return release;
      }
    }
    if (window.size() > kOverlap) window.erase(0, window.size() - kOverlap);
  }
  return std::nullopt;
}

bool IsBzImage(std::string_view head) {
  return head.size() >= kKernelVersionAt + 2 && Le16(head, kBootFlagAt) == kBootFlag &&
         head.substr(kMagicAt, kMagic.size()) == kMagic;
}

std::string HeadOf(std::istream& in) {
  std::string head(kBzImageHeadBytes, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(in.gcount()));
  return head;
}

}  // namespace

Result<ImageKind> ParseImageKind(std::string_view head) {
  if (head.starts_with(kElfMagic)) return ImageKind::kVmlinux;
  if (IsBzImage(head)) return ImageKind::kBzImage;
  const std::string instead = WhatItIsInstead(head);
  return Fail("neither a bzImage nor a vmlinux" + (instead.empty() ? "" : ": " + instead));
}

Result<ImageKind> ReadImageKind(const fs::path& image) {
  std::ifstream in(image, std::ios::binary);
  if (!in) return FailErrno("open " + image.string());
  auto kind = ParseImageKind(HeadOf(in));
  if (!kind) return Fail(kind.error().Within(image.string()));
  return kind;
}

Result<std::string> ParseBzImageRelease(std::string_view head) {
  if (!IsBzImage(head)) return Fail("not a bzImage");
  const std::uint16_t offset = Le16(head, kKernelVersionAt);
  if (offset == 0) return Fail("a bzImage without a version string");
  const size_t at = kHeaderBase + offset;
  if (at >= head.size()) return Fail("a bzImage whose version string lies outside: truncated?");
  const auto release = ReleaseAt(head.substr(at));
  if (!release) return Fail("a bzImage whose version string is damaged");
  return *release;
}

Result<std::string> ReadImageRelease(const fs::path& image) {
  std::ifstream in(image, std::ios::binary);
  if (!in) return FailErrno("open " + image.string());
  const std::string head = HeadOf(in);
  if (head.starts_with(kElfMagic)) {
    in.clear();
    in.seekg(0);
    if (auto release = FindBanner(in)) return *release;
    return Fail(image.string() + ": an ELF file, but no Linux kernel: it holds no version banner");
  }
  if (const auto kind = ParseImageKind(head); !kind)
    return Fail(kind.error().Within(image.string()));
  auto release = ParseBzImageRelease(head);
  if (!release) return Fail(release.error().Within(image.string()));
  return release;
}

}  // namespace kassay
