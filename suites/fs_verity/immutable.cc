// What nobody can do to a verity file any more, and what everybody still can.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "harness/base/text/hex.h"
#include "suites/fs_verity/on_medium.h"
#include "suites/support/child.h"

namespace kassay::verity {
namespace {

class EachImmutable : public OnEach {
 protected:
  void SetUp() override {
    OnEach::SetUp();
    path_ = Verity("file", content_);
  }
  std::string content_ = Content(kUsualSize);
  std::string path_;
};
ON_EACH_FILE_SYSTEM(EachImmutable);

KASSAY_CASE_P(EachImmutable, NobodyOpensItForWriting, Cites("FSV-026")) {
  for (const int flags : {O_WRONLY, O_RDWR, O_WRONLY | O_APPEND, O_RDONLY | O_TRUNC,
                          O_RDWR | O_TRUNC, O_WRONLY | O_CREAT, O_RDWR | O_CREAT | O_TRUNC}) {
    EXPECT_THAT(TryOpen(path_, flags), IsErrno(EPERM)) << std::oct << flags;
    ExpectVerity(path_, content_);
  }
  EXPECT_EQ(TryOpen(path_, O_RDONLY), 0);
  EXPECT_EQ(TryOpen(path_, O_RDONLY | O_CREAT), 0);
  EXPECT_EQ(TryOpen(path_, O_PATH), 0);
}

KASSAY_CASE_P(EachImmutable, NobodyOpensItForWritingAfterARemount, Cites("FSV-026")) {
  ASSERT_OK(medium().Remount());
  EXPECT_THAT(TryOpen(path_, O_RDWR), IsErrno(EPERM));
  EXPECT_THAT(TryOpen(path_, O_WRONLY), IsErrno(EPERM));
  ExpectVerity(path_, content_);
}

KASSAY_CASE_P(EachImmutable, AReadersDescriptorDoesNotHelp, Cites("FSV-026")) {
  const UniqueFd fd = OpenToRead(path_);
  const std::string again = "/proc/self/fd/" + std::to_string(fd.Get());
  EXPECT_THAT(TryOpen(again, O_RDWR), IsErrno(EPERM));
  EXPECT_THAT(TryOpen(again, O_RDONLY | O_TRUNC), IsErrno(EPERM));
  EXPECT_THAT(write(fd.Get(), "x", 1), SyscallFailsWithErrno(EBADF));
  EXPECT_THAT(ftruncate(fd.Get(), 0), SyscallFailsWithErrno(EINVAL));
  EXPECT_THAT(fallocate(fd.Get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096),
              SyscallFailsWithErrno(EBADF));
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd.Get(), 0), MAP_FAILED);
  EXPECT_EQ(errno, EACCES);
  // Nor one from before, when it was a plain file.
  const std::string later = Plain("later", content_);
  const UniqueFd before = OpenToRead(later);
  void* page = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, before.Get(), 0);
  ASSERT_NE(page, MAP_FAILED);
  ASSERT_EQ(Enable(later), 0);
  EXPECT_THAT(mprotect(page, 4096, PROT_READ | PROT_WRITE), SyscallFailsWithErrno(EACCES));
  munmap(page, 4096);
  ExpectVerity(path_, content_);
}

KASSAY_CASE_P(EachImmutable, NobodyTruncatesIt, Cites("FSV-026")) {
  for (const off_t size :
       {off_t{0}, off_t{1}, static_cast<off_t>(kUsualSize) - 1, static_cast<off_t>(kUsualSize),
        static_cast<off_t>(kUsualSize) + 1, off_t{1} << 30}) {
    EXPECT_THAT(truncate(path_.c_str(), size), SyscallFailsWithErrno(EPERM)) << size;
    ExpectVerity(path_, content_);
  }
  // Not even by a path whose inode was never opened.
  ASSERT_OK(medium().Remount());
  EXPECT_THAT(truncate(path_.c_str(), 0), SyscallFailsWithErrno(EPERM));
  ExpectVerity(path_, content_);
}

KASSAY_CASE_P(EachImmutable, AnEmptyFileStaysEmpty, Cites("FSV-026")) {
  const std::string empty = Verity("empty", "");
  EXPECT_THAT(TryOpen(empty, O_RDWR), IsErrno(EPERM));
  EXPECT_THAT(truncate(empty.c_str(), 1), SyscallFailsWithErrno(EPERM));
  ExpectVerity(empty, "");
}

KASSAY_CASE_P(EachImmutable, WhatIsAroundTheContentCanChange, Cites("FSV-027")) {
  struct stat seen {};
  EXPECT_EQ(chmod(path_.c_str(), 0600), 0);
  EXPECT_EQ(chown(path_.c_str(), 1000, 1000), 0);
  const timespec times[2] = {{1000000, 0}, {2000000, 0}};
  EXPECT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  ASSERT_EQ(stat(path_.c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 0777, 0600U);
  EXPECT_EQ(seen.st_uid, 1000U);
  EXPECT_EQ(seen.st_mtim.tv_sec, 2000000);
  EXPECT_EQ(setxattr(path_.c_str(), "trusted.kassay", "value", 5, 0), 0);
  EXPECT_EQ(getxattr(path_.c_str(), "trusted.kassay", nullptr, 0), 5);
  ExpectVerity(path_, content_);
  ASSERT_OK(medium().Remount());
  ASSERT_EQ(stat(path_.c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 0777, 0600U);
  ExpectVerity(path_, content_);
}

KASSAY_CASE_P(EachImmutable, ItsNamesCanChange, Cites("FSV-027")) {
  EXPECT_EQ(link(path_.c_str(), Path("link").c_str()), 0);
  EXPECT_EQ(rename(path_.c_str(), Path("renamed").c_str()), 0);
  ExpectVerity(Path("link"), content_);
  ExpectVerity(Path("renamed"), content_);
  EXPECT_EQ(unlink(Path("link").c_str()), 0);
  ExpectVerity(Path("renamed"), content_);
  // A name can be given to something else: it is the file that cannot change.
  Plain("other", "other content");
  EXPECT_EQ(rename(Path("other").c_str(), Path("renamed").c_str()), 0);
  ExpectPlain(Path("renamed"), "other content");
}

KASSAY_CASE_P(EachImmutable, ItCanBeRemovedAndItsSpaceUsedAgain, Cites("FSV-027").Timeout(120)) {
  for (int round = 0; round < 3; ++round) {
    const std::string content = Content(200 * 4096, static_cast<std::uint64_t>(round) + 5);
    const std::string large = Verity("large", content);
    EXPECT_EQ(unlink(large.c_str()), 0);
    // A new file of that name has nothing of the old one.
    ExpectPlain(Plain("large", content), content);
    EXPECT_EQ(unlink(large.c_str()), 0);
  }
  ASSERT_OK(medium().Remount());
  ExpectVerity(path_, content_);
}

// Removed while it is open, it stays readable and unwritable.
KASSAY_CASE_P(EachImmutable, ARemovedFileStaysAsItIs, Cites("FSV-026", "FSV-027")) {
  const UniqueFd fd = OpenToRead(path_);
  ASSERT_EQ(unlink(path_.c_str()), 0);
  DropCaches();
  EXPECT_TRUE(ReadAt(fd.Get(), content_.size(), 0).bytes == content_);
  EXPECT_EQ(ToHex(Measure(fd.Get()).digest), ToHex(MerkleTree(content_, {}).file_digest));
  EXPECT_THAT(TryOpen("/proc/self/fd/" + std::to_string(fd.Get()), O_RDWR), IsErrno(EPERM));
}

KASSAY_CASE_P(EachImmutable, ItSurvivesARemount, Cites("FSV-047")) {
  for (const Setting& setting : {Setting{}, Setting{kSha512Algorithm, 1024, Content(32, 4), ""}}) {
    const std::string name = std::to_string(setting.block_size);
    Verity(name, content_, setting);
    ASSERT_OK(medium().Remount());
    ExpectVerity(Path(name), content_, setting);
  }
  ASSERT_EQ(mount(nullptr, medium().Folder().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  DropCaches();
  ExpectVerity(path_, content_);
  EXPECT_THAT(TryOpen(path_, O_RDWR), IsErrno(EROFS));
}

// An image of the medium as it is now, without an orderly end: what a power cut leaves.
KASSAY_CASE_P(EachImmutable, ItSurvivesAPowerCutOnceSynced, Cites("FSV-047").Timeout(120)) {
  ::sync();
  ASSERT_OK(Pack(medium().Image(), "/tmp/cut.packed"));
  ASSERT_OK(medium().Unmount());
  ASSERT_OK(Unpack("/tmp/cut.packed", medium().Image()));
  const auto loop = LoopDevice::Attach(medium().Image());
  ASSERT_OK(loop);
  ASSERT_EQ(mkdir("/tmp/cut", 0755), 0);
  ASSERT_EQ(mount(loop->Path().c_str(), "/tmp/cut", TypeOf(GetParam()), 0, ""), 0)
      << ErrnoName(errno);
  ExpectVerity("/tmp/cut/file", content_);
  EXPECT_THAT(TryOpen("/tmp/cut/file", O_RDWR), IsErrno(EPERM));
  EXPECT_EQ(umount2("/tmp/cut", 0), 0);
}

}  // namespace
}  // namespace kassay::verity
