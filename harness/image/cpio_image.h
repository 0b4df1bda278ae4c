// A newc cpio archive whose bytes depend on nothing but its content: entries sorted by path, owned
// by root, dated 1970 (Documentation/driver-api/early-userspace/buffer-format.rst).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "harness/base/result.h"

namespace kassay {

// Where a file's bytes come from when the archive is made.
using ContentSource = std::function<Result<std::string>()>;

class CpioImage {
 public:
  // Paths are absolute in the guest; parent folders come by themselves (0755). Adding a path again
  // replaces what it was.
  void AddFolder(const std::filesystem::path& path, unsigned mode = 0755);
  void AddText(const std::filesystem::path& path, std::string text, unsigned mode = 0644);
  // `host_file` is read when the archive is hashed and when it is made.
  void AddFile(const std::filesystem::path& path, const std::filesystem::path& host_file,
               unsigned mode = 0644);
  // Bytes that are made late; `fingerprint` stands for them in Fingerprint().
  void AddLate(const std::filesystem::path& path, ContentSource source, std::string fingerprint,
               unsigned mode = 0644);
  void AddLink(const std::filesystem::path& path, std::string target);
  void AddCharacterDevice(const std::filesystem::path& path, unsigned major, unsigned minor,
                          unsigned mode);

  // SHA-256 over everything that the archive's bytes depend on; no archive is made for it.
  [[nodiscard]] Result<std::string> Fingerprint() const;

  // The archive, padded so that another one may follow.
  [[nodiscard]] Result<std::string> Bytes() const;

 private:
  struct Entry {
    unsigned mode = 0;                // with the file type
    std::string text;                 // content, or a link's target
    std::filesystem::path host_file;  // content, if not empty
    ContentSource late;               // content, if set
    std::string fingerprint;          // of `late`
    unsigned major = 0;
    unsigned minor = 0;

    [[nodiscard]] Result<std::string> Content() const;
  };

  void Add(const std::filesystem::path& path, Entry entry);

  std::map<std::string, Entry> entries_;  // by path without the leading '/'
};

}  // namespace kassay
