#include "harness/image/shared_libraries.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>

#include "harness/base/file.h"
#include "harness/base/unique_fd.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// The folders that dynamic linkers search by themselves: Debian's, then others' (ld.so(8)).
std::vector<std::string> LinkerFolders(const Architecture& architecture) {
  return {fmt::format("/lib/{}-linux-gnu", architecture.name),
          fmt::format("/usr/lib/{}-linux-gnu", architecture.name),
          "/lib64",
          "/usr/lib64",
          "/lib",
          "/usr/lib"};
}

struct ElfEnd {
  void operator()(Elf* elf) const { elf_end(elf); }
};

// What the dynamic linker reads of a file.
struct Needs {
  std::string interpreter;
  std::vector<std::string> libraries;
  std::vector<std::string> search;  // DT_RUNPATH, or DT_RPATH without it
};

std::string ReplaceOrigin(std::string path, const fs::path& object) {
  for (const std::string_view token : {"$ORIGIN", "${ORIGIN}"}) {
    const size_t at = path.find(token);
    if (at != std::string::npos) path.replace(at, token.size(), object.parent_path().string());
  }
  return path;
}

class ElfFile {
 public:
  static Result<ElfFile> Open(const fs::path& path, const Architecture& architecture) {
    ElfFile file;
    file.path_ = path;
    file.fd_.Reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.fd_.IsOpen()) return FailErrno("open " + path.string());
    elf_version(EV_CURRENT);
    file.elf_.reset(elf_begin(file.fd_.Get(), ELF_C_READ, nullptr));
    GElf_Ehdr header;
    if (!file.elf_ || elf_kind(file.elf_.get()) != ELF_K_ELF ||
        gelf_getehdr(file.elf_.get(), &header) == nullptr ||
        header.e_machine != architecture.elf_machine ||
        gelf_getclass(file.elf_.get()) != ELFCLASS64) {
      return Fail(fmt::format("{} is no {} program or library", path.string(), architecture.words));
    }
    return file;
  }

  [[nodiscard]] Result<Needs> ReadNeeds() const {
    Needs needs;
    size_t count = 0;
    if (elf_getphdrnum(elf_.get(), &count) != 0) return Damaged();
    for (size_t i = 0; i < count; ++i) {
      GElf_Phdr segment;
      if (gelf_getphdr(elf_.get(), static_cast<int>(i), &segment) == nullptr) return Damaged();
      if (segment.p_type != PT_INTERP) continue;
      const Elf_Data* text = elf_getdata_rawchunk(
          elf_.get(), static_cast<int64_t>(segment.p_offset), segment.p_filesz, ELF_T_BYTE);
      if (text == nullptr) return Damaged();
      const auto* path = static_cast<const char*>(text->d_buf);
      needs.interpreter.assign(path, ::strnlen(path, text->d_size));
    }
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf_.get(), section)) != nullptr;) {
      GElf_Shdr header;
      if (gelf_getshdr(section, &header) == nullptr) return Damaged();
      if (header.sh_type == SHT_DYNAMIC) KASSAY_CHECK(ReadDynamic(section, header, needs));
    }
    return needs;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> Damaged() const {
    return Fail(fmt::format("{} is a damaged program: {}", path_.string(), elf_errmsg(-1)));
  }

  Status ReadDynamic(Elf_Scn* section, const GElf_Shdr& header, Needs& needs) const {
    Elf_Data* data = elf_getdata(section, nullptr);
    if (data == nullptr || header.sh_entsize == 0) return Damaged();
    std::string rpath;
    std::string runpath;
    GElf_Dyn dynamic;
    for (int i = 0; gelf_getdyn(data, i, &dynamic) != nullptr && dynamic.d_tag != DT_NULL; ++i) {
      if (dynamic.d_tag != DT_NEEDED && dynamic.d_tag != DT_RPATH && dynamic.d_tag != DT_RUNPATH) {
        continue;
      }
      const char* text = elf_strptr(elf_.get(), header.sh_link, dynamic.d_un.d_val);
      if (text == nullptr) return Damaged();
      if (dynamic.d_tag == DT_NEEDED) needs.libraries.emplace_back(text);
      if (dynamic.d_tag == DT_RPATH) rpath = text;
      if (dynamic.d_tag == DT_RUNPATH) runpath = text;
    }
    std::istringstream search(runpath.empty() ? rpath : runpath);
    for (std::string folder; std::getline(search, folder, ':');) {
      if (!folder.empty()) needs.search.push_back(ReplaceOrigin(folder, path_));
    }
    return {};
  }

  fs::path path_;
  UniqueFd fd_;
  std::unique_ptr<Elf, ElfEnd> elf_;
};

// The folders of /etc/ld.so.conf.d: what the host's ldconfig knows beyond the linker's own.
std::vector<std::string> ConfiguredFolders() {
  std::vector<fs::path> files = {"/etc/ld.so.conf"};
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/etc/ld.so.conf.d", ignored)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> folders;
  for (const auto& file : files) {
    const auto text = ReadFile(file, size_t{1} << 20);
    std::istringstream in(text ? *text : "");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with('/')) folders.push_back(line);
    }
  }
  return folders;
}

// Looks a library up as ld.so(8) would; a file of another machine is passed over, as it does.
std::optional<fs::path> FindLibrary(const std::string& name, const std::vector<std::string>& first,
                                    const Architecture& architecture) {
  static const std::vector<std::string> configured = ConfiguredFolders();
  std::vector<std::string> folders = first;
  std::ranges::copy(LinkerFolders(architecture), std::back_inserter(folders));
  std::ranges::copy(configured, std::back_inserter(folders));
  if (name.find('/') != std::string::npos) folders = {""};
  for (const auto& folder : folders) {
    const fs::path candidate = fs::path(folder) / name;
    std::error_code ignored;
    if (fs::exists(candidate, ignored) && ElfFile::Open(candidate, architecture)) return candidate;
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<SharedLibrary>> SharedLibrariesOf(const fs::path& executable,
                                                     const Architecture& architecture) {
  std::map<std::string, fs::path> found;  // by name, as in DT_NEEDED
  std::vector<SharedLibrary> result;
  std::deque<fs::path> todo = {executable};
  while (!todo.empty()) {
    const fs::path object = todo.front();
    todo.pop_front();
    KASSAY_TRY(const ElfFile file, ElfFile::Open(object, architecture));
    KASSAY_TRY(const Needs needs, file.ReadNeeds());
    if (object == executable && !needs.interpreter.empty()) {
      found.emplace(fs::path(needs.interpreter).filename(), needs.interpreter);
      result.push_back({needs.interpreter, needs.interpreter});
    }
    for (const std::string& name : needs.libraries) {
      if (found.contains(name)) continue;
      const auto path = FindLibrary(name, needs.search, architecture);
      if (!path) {
        return Fail(
            fmt::format("{} needs {}, which is not on this machine: install the package "
                        "that has it",
                        object.string(), name));
      }
      found.emplace(name, *path);
      todo.push_back(*path);
    }
  }
  const auto libc = found.find("libc.so.6");
  const fs::path home = libc != found.end() ? libc->second.parent_path() : fs::path("/lib");
  const std::vector<std::string> linkers = LinkerFolders(architecture);
  for (const auto& [name, path] : found) {
    if (!result.empty() && path == result.front().host_file) continue;
    const bool is_found = std::ranges::find(linkers, path.parent_path().string()) != linkers.end();
    result.push_back({path, is_found ? path : home / fs::path(name).filename()});
  }
  std::ranges::sort(result, {}, &SharedLibrary::guest_path);
  return result;
}

}  // namespace kassay
