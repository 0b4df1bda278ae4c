// Small kernels, modules and packages made for tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kassay::testing {

// A folder of its own below the test's temporary one; removed with everything in it.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& Path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

// Writes a file with its folders; aborts the test program if it cannot.
void Write(const std::filesystem::path& path, std::string_view bytes);

// A bzImage as far as its setup header goes.
[[nodiscard]] std::string BzImage(const std::string& release);

// An ELF relocatable file whose .modinfo holds `info`, e.g. {"name=a", "depends=b,c"}.
[[nodiscard]] std::string Module(const std::vector<std::string>& info);

struct PackedFile {
  std::string path;
  std::string content;
  std::string symlink;   // a symbolic link to this, if not empty
  std::string hardlink;  // a hard link to this, if not empty
};

// One tar (xz) archive, as data.tar.xz holds it.
[[nodiscard]] std::string TarXz(const std::vector<PackedFile>& files);

// The bytes compressed, as a module in a package is.
[[nodiscard]] std::string Xz(const std::string& bytes);
[[nodiscard]] std::string Gzip(const std::string& bytes);

// A .deb with this control file and these files.
[[nodiscard]] std::string Deb(const std::string& control, const std::vector<PackedFile>& files);
// The same from given members; for packages that are wrong.
[[nodiscard]] std::string Ar(const std::vector<PackedFile>& members);

// Tags of an rpm's header, each a string, but for the epoch (1003), a number.
using RpmTags = std::map<std::uint32_t, std::string>;
inline const RpmTags kKernelCore{
    {1000, "kernel-core"}, {1001, "7.0"}, {1002, "1"}, {1011, "Fedora Project"}, {1022, "x86_64"}};
[[nodiscard]] std::string RpmHead(const RpmTags& tags);

// An rpm's lead, an empty signature header, the header, then a gzipped cpio of the files.
[[nodiscard]] std::string Rpm(const std::vector<PackedFile>& files,
                              const RpmTags& tags = kKernelCore);

}  // namespace kassay::testing
