#include "suites/fs_verity/medium.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <vector>

#include "harness/base/unique_fd.h"
#include "suites/support/prepare.h"

namespace kassay::verity {
namespace {

constexpr std::array<char, kPackedBlock> kZeros{};

Result<UniqueFd> Open(const std::string& path, int flags) {
  UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (!fd.IsOpen()) return FailErrno("open " + path);
  return fd;
}

Status WriteAll(int fd, const void* bytes, std::size_t size, std::uint64_t offset) {
  if (pwrite(fd, bytes, size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size))
    return FailErrno("cannot write an image");
  return {};
}

}  // namespace

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kExt4:
      return "ext4";
    case Kind::kExt4Small:
      return "ext4_1k";
    case Kind::kExt4NoFeature:
      return "ext4_no_feature";
    case Kind::kBtrfs:
      return "btrfs";
  }
  return "";
}

const char* TypeOf(Kind kind) { return kind == Kind::kBtrfs ? "btrfs" : "ext4"; }

bool KernelHas(Kind kind) {
  std::ifstream list("/proc/filesystems");
  std::string word;
  while (list >> word) {
    if (word == TypeOf(kind)) return true;
  }
  return false;
}

Status Pack(const std::string& file, const std::string& packed) {
  KASSAY_TRY(const UniqueFd in, Open(file, O_RDONLY));
  std::ofstream out(packed, std::ios::binary);
  struct stat status {};
  if (fstat(in.Get(), &status) != 0) return FailErrno("fstat " + file);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  out.write(reinterpret_cast<const char*>(&size), sizeof size);
  std::array<char, kPackedBlock> block{};
  for (std::uint64_t offset = 0; offset < size; offset += kPackedBlock) {
    block.fill(0);
    if (pread(in.Get(), block.data(), block.size(), static_cast<off_t>(offset)) <= 0)
      return FailErrno("read " + file);
    if (block == kZeros) continue;
    out.write(reinterpret_cast<const char*>(&offset), sizeof offset);
    out.write(block.data(), block.size());
  }
  out.close();
  if (!out) return Fail("cannot write " + packed);
  return {};
}

Status Unpack(const std::string& packed, const std::string& file) {
  std::ifstream in(packed, std::ios::binary);
  std::uint64_t size = 0;
  if (!in.read(reinterpret_cast<char*>(&size), sizeof size))
    return Fail("there is no prepared image " + packed);
  KASSAY_TRY(const UniqueFd out, Open(file, O_RDWR | O_CREAT | O_TRUNC));
  if (ftruncate(out.Get(), static_cast<off_t>(size)) != 0) return FailErrno("ftruncate " + file);
  std::uint64_t offset = 0;
  std::array<char, kPackedBlock> block{};
  while (in.read(reinterpret_cast<char*>(&offset), sizeof offset)) {
    if (!in.read(block.data(), block.size()) || offset >= size)
      return Fail("the prepared image " + packed + " is cut short");
    KASSAY_CHECK(WriteAll(out.Get(), block.data(),
                          std::min<std::uint64_t>(kPackedBlock, size - offset), offset));
  }
  return {};
}

Result<std::unique_ptr<Medium>> Medium::Mount(Kind kind, const std::string& options) {
  const std::string name = NameOf(kind);
  const std::string image = "/tmp/" + name + ".img";
  KASSAY_CHECK(Unpack((PreparedDir() / (name + ".packed")).string(), image));
  const std::string folder = "/tmp/" + name;
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return FailErrno("mkdir " + folder);
  KASSAY_TRY(LoopDevice loop, LoopDevice::Attach(image));
  std::unique_ptr<Medium> medium(new Medium(kind, image, folder, std::move(loop)));
  KASSAY_CHECK(medium->MountLoop(options));
  return medium;
}

Medium::~Medium() {
  if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
}

Status Medium::MountLoop(const std::string& options) {
  if (mount(loop_.Path().c_str(), folder_.c_str(), TypeOf(kind_), 0, options.c_str()) != 0)
    return FailErrno("mount " + std::string(TypeOf(kind_)) + " on " + loop_.Path());
  mounted_ = true;
  return {};
}

Status Medium::Unmount() {
  if (umount2(folder_.c_str(), 0) != 0) return FailErrno("umount " + folder_);
  mounted_ = false;
  return {};
}

Status Medium::Remount(const std::string& options) {
  KASSAY_CHECK(Unmount());
  return MountLoop(options);
}

Result<std::uint64_t> Medium::Find(std::string_view content) const {
  ::sync();
  KASSAY_TRY(const UniqueFd image, Open(image_, O_RDONLY));
  struct stat status {};
  if (fstat(image.Get(), &status) != 0) return FailErrno("fstat " + image_);
  // Only what is written takes part: the image is mostly holes, and what is looked for is not zero.
  constexpr std::uint64_t kUnit = 1024;  // the smallest block of a file system here
  std::vector<char> here(content.size());
  std::uint64_t found = 0;
  int places = 0;
  const auto end = static_cast<off_t>(status.st_size);
  for (off_t data = lseek(image.Get(), 0, SEEK_DATA); data >= 0 && data < end;) {
    const off_t hole = lseek(image.Get(), data, SEEK_HOLE);
    for (off_t at = data - data % static_cast<off_t>(kUnit); at < hole; at += kUnit) {
      if (pread(image.Get(), here.data(), here.size(), at) != static_cast<ssize_t>(here.size()) ||
          std::memcmp(here.data(), content.data(), here.size()) != 0)
        continue;
      found = static_cast<std::uint64_t>(at);
      ++places;
    }
    data = lseek(image.Get(), hole, SEEK_DATA);
  }
  if (places != 1)
    return Fail("the bytes to be damaged are in " + std::to_string(places) + " places of " +
                image_);
  return found;
}

Status Medium::Write(std::uint64_t offset, std::string_view bytes) const {
  KASSAY_TRY(const UniqueFd image, Open(image_, O_RDWR));
  KASSAY_CHECK(WriteAll(image.Get(), bytes.data(), bytes.size(), offset));
  DropCaches();
  return {};
}

Status Medium::WriteUnmounted(std::uint64_t offset, std::string_view bytes) {
  KASSAY_CHECK(Unmount());
  KASSAY_CHECK(Write(offset, bytes));
  return MountLoop("");
}

Status Medium::Damage(std::string_view content, std::size_t index) const {
  KASSAY_TRY(const std::uint64_t place, Find(content));
  const char flipped = static_cast<char>(content[index] ^ 0x20);
  return Write(place + index, std::string_view(&flipped, 1));
}

void DropCaches() {
  ::sync();
  const UniqueFd file(open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC));
  static_cast<void>(!write(file.Get(), "3", 1));
}

}  // namespace kassay::verity
