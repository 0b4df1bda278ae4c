// File systems that a case may damage: images made on the build host (images.cc), unpacked to a
// tmpfs and mounted over a loop device. What is written to the image below a mounted file system is
// what the next uncached read gives.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "suites/support/loop_device.h"

namespace kassay::verity {

// Each has an image in the suite's preparation.
enum class Kind {
  kExt4,           // 4 KiB blocks, a journal, the feature verity
  kExt4Small,      // 1 KiB blocks
  kExt4NoFeature,  // as kExt4, without the feature
  kBtrfs,          // single copies
};
[[nodiscard]] const char* NameOf(Kind kind);
// As mount(2) and /proc/filesystems have it.
[[nodiscard]] const char* TypeOf(Kind kind);
// Whether the kernel has the file system, loaded or built in.
[[nodiscard]] bool KernelHas(Kind kind);

// A sparse file without its holes, to travel in the guest's memory image: the size in bytes (u64),
// then blocks of kPackedBlock bytes, each behind its offset (u64); all little endian.
inline constexpr std::size_t kPackedBlock = 4096;
[[nodiscard]] Status Pack(const std::string& file, const std::string& packed);
[[nodiscard]] Status Unpack(const std::string& packed, const std::string& file);

class Medium {
 public:
  // Unpacks the image to /tmp/NAME.img and mounts it at /tmp/NAME. `options` as mount(2) takes
  // them.
  [[nodiscard]] static Result<std::unique_ptr<Medium>> Mount(Kind kind,
                                                             const std::string& options = "");
  ~Medium();  // unmounts
  Medium(const Medium&) = delete;
  Medium& operator=(const Medium&) = delete;

  [[nodiscard]] const std::string& Folder() const { return folder_; }
  [[nodiscard]] std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  // The image, below the file system.
  [[nodiscard]] const std::string& Image() const { return image_; }

  [[nodiscard]] Status Remount(const std::string& options = "");
  [[nodiscard]] Status Unmount();

  // The one place on the medium that holds `content`; fails if there is none, or more than one.
  // Only what was written back can be found.
  [[nodiscard]] Result<std::uint64_t> Find(std::string_view content) const;
  // Overwrites the medium and forgets every cached page and inode.
  [[nodiscard]] Status Write(std::uint64_t offset, std::string_view bytes) const;
  // The same while the file system is not mounted: whatever it keeps of a file is read anew.
  [[nodiscard]] Status WriteUnmounted(std::uint64_t offset, std::string_view bytes);
  // Finds `content` and flips the byte at `index` in it.
  [[nodiscard]] Status Damage(std::string_view content, std::size_t index) const;

 private:
  Medium(Kind kind, std::string image, std::string folder, LoopDevice loop)
      : kind_(kind), image_(std::move(image)), folder_(std::move(folder)), loop_(std::move(loop)) {}
  [[nodiscard]] Status MountLoop(const std::string& options);

  Kind kind_;
  std::string image_;
  std::string folder_;
  LoopDevice loop_;
  bool mounted_ = false;
};

// Writes everything back and forgets all clean pages and unused inodes
// (/proc/sys/vm/drop_caches).
void DropCaches();

}  // namespace kassay::verity
