// Small kernels, modules and packages made for tests.
#pragma once

#include <filesystem>
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

// A .deb with this control file and these files.
[[nodiscard]] std::string Deb(const std::string& control, const std::vector<PackedFile>& files);
// The same from given members; for packages that are wrong.
[[nodiscard]] std::string Ar(const std::vector<PackedFile>& members);

// An rpm's lead and headers (empty ones), then a gzipped cpio of the files.
[[nodiscard]] std::string Rpm(const std::vector<PackedFile>& files);

}  // namespace kassay::testing
