// overlayfs with verity=on and verity=require: a copy of a file's metadata in the upper layer says
// which digest the data in the lower layer has (Documentation/filesystems/overlayfs.rst, fs-verity
// support).
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

#include "harness/base/text/hex.h"
#include "suites/fs_verity/on_medium.h"

namespace kassay::verity {
namespace {

constexpr const char* kMetacopy = "trusted.overlay.metacopy";

// The lower layer is on the medium, so that its inodes can be forgotten; the upper one on a tmpfs.
class Overlay : public OnExt4 {
 protected:
  void SetUp() override {
    OnExt4::SetUp();
    for (const char* folder : {"/tmp/upper", "/tmp/work", "/tmp/merged"})
      ASSERT_EQ(mkdir(folder, 0755), 0);
    ASSERT_EQ(mkdir(Path("lower").c_str(), 0755), 0);
    const long mounted = MountOverlay("require");
    if (mounted == -ENODEV) KASSAY_ABSENT("this kernel has no overlayfs");
    ASSERT_EQ(mounted, 0) << ErrnoName(static_cast<int>(-mounted));
    ASSERT_TRUE(UnmountOverlay());
  }
  void TearDown() override { umount2("/tmp/merged", MNT_DETACH); }

  [[nodiscard]] long MountOverlay(const std::string& mode) {
    const std::string options = "metacopy=on,redirect_dir=on,verity=" + mode +
                                ",lowerdir=" + Path("lower") +
                                ",upperdir=/tmp/upper,workdir=/tmp/work";
    return mount("overlay", "/tmp/merged", "overlay", 0, options.c_str()) == 0 ? 0 : -errno;
  }
  [[nodiscard]] static bool UnmountOverlay() { return umount2("/tmp/merged", 0) == 0; }
  // The overlay anew over a file system whose inodes are all forgotten.
  void ForgetAndMount(const std::string& mode) {
    ASSERT_OK(medium().Remount());
    const long mounted = MountOverlay(mode);
    ASSERT_EQ(mounted, 0) << ErrnoName(static_cast<int>(-mounted));
  }
  // A copy of the metadata in the upper layer, with the digest as the kernel puts it. The lower
  // file has been opened, so that its digest is at hand, unless the case wants it forgotten.
  void CopyUpMetadata(bool forgotten = false) {
    ForgetAndMount("require");
    if (!forgotten) {
      EXPECT_EQ(TryOpen(Path("lower/file"), O_RDONLY), 0);
    }
    ASSERT_EQ(chmod("/tmp/merged/file", 0600), 0) << ErrnoName(errno);
    ASSERT_TRUE(UnmountOverlay());
  }
  [[nodiscard]] static std::string MetacopyOf(const std::string& path) {
    std::array<char, 256> value{};
    const ssize_t size = getxattr(path.c_str(), kMetacopy, value.data(), value.size());
    return size < 0 ? ErrnoName(errno) : std::string(value.data(), static_cast<std::size_t>(size));
  }
  static void SetMetacopy(const std::string& path, const std::string& value) {
    ASSERT_EQ(setxattr(path.c_str(), kMetacopy, value.data(), value.size(), 0), 0);
  }
  // struct ovl_metacopy (fs/overlayfs/overlayfs.h): version, length, flags, algorithm, digest.
  [[nodiscard]] static std::string Metacopy(const std::string& digest, char algorithm) {
    return std::string{'\0', static_cast<char>(4 + digest.size()), '\0', algorithm} + digest;
  }

  std::string content_ = Content(kUsualSize);
};

KASSAY_CASE_F(Overlay, TheDigestIsKeptWithTheMetadataAlsoAfterEviction, Cites("FSV-060")) {
  Verity("lower/file", content_);
  Verity("lower/sha512", content_, {kSha512Algorithm, 1024, "salt", ""});
  CopyUpMetadata(true);
  EXPECT_EQ(ToHex(MetacopyOf("/tmp/upper/file")),
            ToHex(Metacopy(MerkleTree(content_, {}).file_digest, 1)));
  ForgetAndMount("require");
  ASSERT_EQ(chmod("/tmp/merged/sha512", 0600), 0);
  EXPECT_EQ(
      ToHex(MetacopyOf("/tmp/upper/sha512")),
      ToHex(Metacopy(MerkleTree(content_, {kSha512Algorithm, 1024, "salt", ""}).file_digest, 2)));
}

// The lower inode was evicted: nothing of fs-verity is loaded when overlayfs asks for its digest.
KASSAY_CASE_F(Overlay, ARightDigestOpensAlsoAfterEviction, Cites("FSV-060")) {
  Verity("lower/file", content_);
  CopyUpMetadata();
  ForgetAndMount("require");
  const Metadata seen = ReadWhole("/tmp/merged/file");
  EXPECT_EQ(seen.result, static_cast<long>(content_.size()));
  EXPECT_TRUE(seen.bytes == content_);
  EXPECT_EQ(access("/tmp/upper/file", F_OK), 0);
}

KASSAY_CASE_F(Overlay, AWrongDigestDoesNotOpen, Cites("FSV-060").Timeout(120)) {
  Verity("lower/file", content_);
  CopyUpMetadata();
  std::string digest = MerkleTree(content_, {}).file_digest;
  const std::string right = Metacopy(digest, 1);
  digest.back() = static_cast<char>(digest.back() ^ 1);
  for (const std::string& wrong :
       {Metacopy(digest, 1), Metacopy(MerkleTree(content_, {}).file_digest, 2),
        Metacopy(digest.substr(0, 16), 1)}) {
    SetMetacopy("/tmp/upper/file", wrong);
    for (const char* mode : {"require", "on"}) {
      ForgetAndMount(mode);
      EXPECT_THAT(TryOpen("/tmp/merged/file", O_RDONLY), IsErrno(EIO)) << mode << ToHex(wrong);
      ASSERT_TRUE(UnmountOverlay());
    }
  }
  SetMetacopy("/tmp/upper/file", right);
  ForgetAndMount("require");
  EXPECT_TRUE(ReadWhole("/tmp/merged/file").bytes == content_);
}

KASSAY_CASE_F(Overlay, AnotherLowerFileDoesNotOpen, Cites("FSV-060").Timeout(120)) {
  Verity("lower/file", content_);
  CopyUpMetadata();
  ASSERT_EQ(unlink(Path("lower/file").c_str()), 0);
  Verity("lower/file", Content(kUsualSize, 2));
  ForgetAndMount("require");
  EXPECT_THAT(TryOpen("/tmp/merged/file", O_RDONLY), IsErrno(EIO)) << "other verity file";
  ASSERT_TRUE(UnmountOverlay());
  ASSERT_EQ(unlink(Path("lower/file").c_str()), 0);
  Plain("lower/file", content_);
  for (const char* mode : {"require", "on"}) {
    ForgetAndMount(mode);
    EXPECT_THAT(TryOpen("/tmp/merged/file", O_RDONLY), IsErrno(EIO)) << "plain file, " << mode;
    ASSERT_TRUE(UnmountOverlay());
  }
}

// The digest holds for the whole of the file's life in the overlay, not only for its opening.
KASSAY_CASE_F(Overlay, DamagedDataDoesNotReadThroughIt, Cites("FSV-060", "FSV-035")) {
  Verity("lower/file", content_);
  CopyUpMetadata();
  ASSERT_OK(medium().Damage(std::string_view(content_).substr(4 * 4096, 4096), 7));
  ForgetAndMount("require");
  const UniqueFd fd = OpenToRead("/tmp/merged/file");
  ASSERT_TRUE(fd.IsOpen()) << ErrnoName(errno);
  EXPECT_THAT(ReadAt(fd.Get(), 4096, 4 * 4096).result, IsErrno(EIO));
  EXPECT_EQ(ReadAt(fd.Get(), 4096, 3 * 4096).result, 4096);
}

KASSAY_CASE_F(Overlay, AFileWithoutDigestIsCopiedUpWhole, Cites("FSV-061")) {
  Plain("lower/file", content_);
  CopyUpMetadata();
  EXPECT_EQ(MetacopyOf("/tmp/upper/file"), ErrnoName(ENODATA));
  EXPECT_TRUE(ReadWhole("/tmp/upper/file").bytes == content_);
}

KASSAY_CASE_F(Overlay, AMetadataCopyWithoutDigestDoesNotOpen, Cites("FSV-061")) {
  Verity("lower/file", content_);
  CopyUpMetadata();
  SetMetacopy("/tmp/upper/file", "");
  ForgetAndMount("require");
  EXPECT_THAT(TryOpen("/tmp/merged/file", O_RDONLY), IsErrno(EIO));
  ASSERT_TRUE(UnmountOverlay());
  ForgetAndMount("on");
  EXPECT_TRUE(ReadWhole("/tmp/merged/file").bytes == content_);
}

KASSAY_CASE_F(Overlay, SwitchedOffItLooksAtNoDigest, Cites("FSV-061")) {
  Verity("lower/file", content_);
  CopyUpMetadata();
  SetMetacopy("/tmp/upper/file", Metacopy(std::string(32, 'x'), 1));
  ForgetAndMount("off");
  EXPECT_TRUE(ReadWhole("/tmp/merged/file").bytes == content_);
}

// Writing makes a file of its own, which is no verity file any more.
KASSAY_CASE_F(Overlay, AWriterGetsACopy, Cites("FSV-060")) {
  Verity("lower/file", content_);
  ForgetAndMount("require");
  const UniqueFd fd(open("/tmp/merged/file", O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(fd.IsOpen()) << ErrnoName(errno);
  EXPECT_EQ(pwrite(fd.Get(), "changed", 7, 0), 7);
  EXPECT_EQ(ReadWhole("/tmp/merged/file").bytes.substr(0, 7), "changed");
  ExpectVerity(Path("lower/file"), content_);
}

}  // namespace
}  // namespace kassay::verity
