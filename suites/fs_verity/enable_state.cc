// What state of file, descriptor, mount and caller FS_IOC_ENABLE_VERITY wants. What is refused
// leaves the file as it was, and works once the reason is gone.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suites/fs_verity/on_medium.h"
#include "suites/support/child.h"
#include "suites/support/user_namespace.h"

namespace kassay::verity {
namespace {

using EnableState = OnExt4;
class EachEnable : public OnEach {};
ON_EACH_FILE_SYSTEM(EachEnable);

UniqueFd Open(const std::string& path, int flags) {
  return UniqueFd(open(path.c_str(), flags | O_CLOEXEC));
}

KASSAY_CASE_P(EachEnable, AWriterIsInTheWay, Cites("FSV-018")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  {
    const UniqueFd both = Open(path, O_RDWR);
    EXPECT_THAT(Enable(both.Get()), IsErrno(ETXTBSY));
    EXPECT_THAT(Enable(path), IsErrno(ETXTBSY)) << "another descriptor can write";
    EXPECT_EQ(pwrite(both.Get(), content.data(), 1, 0), 1) << "the writer lost its descriptor";
  }
  {
    const UniqueFd writer = Open(path, O_WRONLY | O_APPEND);
    EXPECT_THAT(Enable(path), IsErrno(ETXTBSY));
  }
  ExpectPlain(path, content);
  EXPECT_EQ(Enable(path), 0);
  ExpectVerity(path, content);
}

KASSAY_CASE_F(EnableState, AWritableMappingIsInTheWay, Cites("FSV-018")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  UniqueFd fd = Open(path, O_RDWR);
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd.Get(), 0);
  ASSERT_NE(page, MAP_FAILED);
  fd.Reset();
  EXPECT_THAT(Enable(path), IsErrno(ETXTBSY));
  munmap(page, 4096);
  ExpectPlain(path, content);
  // A mapping that cannot write is no writer, and a private one never reaches the file.
  fd = Open(path, O_RDONLY);
  page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd.Get(), 0);
  ASSERT_NE(page, MAP_FAILED);
  EXPECT_EQ(Enable(path), 0);
  *static_cast<volatile char*>(page) = 'x';
  munmap(page, 4096);
  ExpectVerity(path, content);
}

// Not a single descriptor may be left that can write when the file is enabled.
KASSAY_CASE_F(EnableState, AnUnlinkedWriterIsInTheWayToo, Cites("FSV-018")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  ASSERT_EQ(link(path.c_str(), Path("other").c_str()), 0);
  UniqueFd writer = Open(Path("other"), O_WRONLY);
  ASSERT_EQ(unlink(Path("other").c_str()), 0);
  EXPECT_THAT(Enable(path), IsErrno(ETXTBSY));
  ExpectPlain(path, content);
  writer.Reset();
  EXPECT_EQ(Enable(path), 0);
}

KASSAY_CASE_P(EachEnable, TheDescriptorMustBeAbleToRead, Cites("FSV-019")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  for (const int flags : {O_WRONLY, O_PATH, O_ACCMODE})
    EXPECT_THAT(Enable(Open(path, flags).Get()), IsErrno(EBADF)) << flags;
  EXPECT_THAT(Enable(-1), IsErrno(EBADF));
  ExpectPlain(path, content);
  EXPECT_EQ(Enable(path), 0);
}

KASSAY_CASE_F(EnableState, OnlyRegularFilesAreEnabled, Cites("FSV-020")) {
  ASSERT_EQ(mkdir(Path("folder").c_str(), 0755), 0);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0644), 0);
  EXPECT_THAT(Enable(Path("folder")), IsErrno(EISDIR));
  EXPECT_THAT(Enable(Open(Path("fifo"), O_RDONLY | O_NONBLOCK).Get()), IsErrno(ENOTTY));
  EXPECT_THAT(Measure(Path("folder")).error, IsErrno(ENODATA));
  EXPECT_EQ(DoorsOf(Path("folder"), false), kAllShut);
  // The folder is still one to work in.
  MakeFile(Path("folder/file"), "content");
  EXPECT_EQ(Enable(Path("folder/file")), 0);
}

KASSAY_CASE_F(EnableState, OtherFileSystemsHaveNoSuchRequest, Cites("FSV-020")) {
  MakeFile("/tmp/plain", "content");
  EXPECT_THAT(Enable("/tmp/plain"), IsErrno(ENOTTY));
  EXPECT_THAT(Measure("/tmp/plain").error, IsErrno(ENOTTY));
  EXPECT_THAT(ReadMetadata(OpenToRead("/tmp/plain").Get(), 1).result, IsErrno(ENOTTY));
  EXPECT_THAT(Enable("/dev/null"), IsErrno(ENOTTY));
  EXPECT_THAT(Enable("/proc/version"), IsErrno(ENOTTY));
  EXPECT_EQ(TryOpen("/tmp/plain", O_RDWR), 0);
}

KASSAY_CASE_P(EachEnable, AReadOnlyMountIsInTheWay, Cites("FSV-021")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  const std::string bind = "/tmp/bind";
  ASSERT_EQ(mkdir(bind.c_str(), 0755), 0);
  ASSERT_EQ(mount(medium().Folder().c_str(), bind.c_str(), nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(mount(nullptr, bind.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr), 0);
  EXPECT_THAT(Enable(bind + "/file"), IsErrno(EROFS));
  ExpectPlain(path, content);
  EXPECT_EQ(Enable(path), 0) << "the same file on the mount that can be written";
  EXPECT_EQ(Measure(bind + "/file").error, 0);
  EXPECT_EQ(umount2(bind.c_str(), 0), 0);
}

KASSAY_CASE_F(EnableState, AReadOnlyFileSystemIsInTheWay, Cites("FSV-021")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  const char* folder = medium().Folder().c_str();
  ASSERT_EQ(mount(nullptr, folder, nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  EXPECT_THAT(Enable(path), IsErrno(EROFS));
  ASSERT_EQ(mount(nullptr, folder, nullptr, MS_REMOUNT, nullptr), 0);
  ExpectPlain(path, content);
  EXPECT_EQ(Enable(path), 0);
}

KASSAY_CASE_P(EachEnable, FlagsAgainstWritingAreInTheWay, Cites("FSV-022")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  std::uint32_t flags = 0;
  ASSERT_EQ(GetFlags(path, &flags), 0);
  for (const std::uint32_t flag : {FS_APPEND_FL, FS_IMMUTABLE_FL}) {
    ASSERT_EQ(SetFlags(path, flags | flag), 0) << flag;
    EXPECT_THAT(Enable(path), IsErrno(EPERM)) << flag;
    ASSERT_EQ(SetFlags(path, flags), 0) << flag;
    ExpectPlain(path, content);
  }
  EXPECT_EQ(Enable(path), 0);
  ExpectVerity(path, content);
}

// Enables as somebody else; the descriptor is opened by him too.
ChildResult<long> EnableAsUser(const std::string& path) {
  return InChild([&] {
    if (const long switched = SwitchToUser(); switched != 0) return switched;
    return Enable(path);
  });
}

KASSAY_CASE_P(EachEnable, PermissionToWriteIsNeededAndEnough, Cites("FSV-023")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  EXPECT_THAT(EnableAsUser(path), Returned(IsErrno(EACCES)));
  ExpectPlain(path, content);
  // His own file, which he may not write.
  ASSERT_EQ(chown(path.c_str(), kUnprivilegedUid, kUnprivilegedUid), 0);
  ASSERT_EQ(chmod(path.c_str(), 0444), 0);
  EXPECT_THAT(EnableAsUser(path), Returned(IsErrno(EACCES)));
  ExpectPlain(path, content);
  // Somebody else's, which he may.
  ASSERT_EQ(chown(path.c_str(), 0, 0), 0);
  ASSERT_EQ(chmod(path.c_str(), 0646), 0);
  EXPECT_THAT(EnableAsUser(path), Returned(0));
  ExpectVerity(path, content);
}

// The permission is that of the moment: a descriptor from before does not carry it.
KASSAY_CASE_F(EnableState, ADescriptorFromBeforeIsNoPermission, Cites("FSV-023")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  const UniqueFd fd = OpenToRead(path);
  EXPECT_THAT(InChild([&] {
                if (const long switched = SwitchToUser(); switched != 0) return switched;
                return Enable(fd.Get());
              }),
              Returned(IsErrno(EACCES)));
  ExpectPlain(path, content);
}

KASSAY_CASE_P(EachEnable, TwiceIsOnceTooOften, Cites("FSV-024")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Verity("file", content);
  EXPECT_THAT(Enable(path), IsErrno(EEXIST));
  EXPECT_THAT(Enable(path, {kSha512Algorithm, 1024, "salt", ""}), IsErrno(EEXIST));
  ExpectVerity(path, content);
  ASSERT_OK(medium().Remount());
  EXPECT_THAT(Enable(path), IsErrno(EEXIST));
  // What is wrong in itself is told first.
  EXPECT_THAT(Enable(path, {3, 4096, "", ""}), IsErrno(EINVAL));
  ExpectVerity(path, content);
}

class NoFeature : public OnMedium {
 protected:
  void SetUp() override { MountMedium(Kind::kExt4NoFeature); }
};

KASSAY_CASE_F(NoFeature, EveryRequestSaysSo, Cites("FSV-025")) {
  const std::string path = Plain("file", "content");
  EXPECT_THAT(Enable(path), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(Measure(path).error, IsErrno(EOPNOTSUPP));
  for (const std::uint64_t type : {1, 2, 3})
    EXPECT_THAT(ReadMetadata(OpenToRead(path).Get(), type).result, IsErrno(EOPNOTSUPP)) << type;
  EXPECT_EQ(DoorsOf(path, false), kAllShut);
  EXPECT_EQ(TryOpen(path, O_RDWR), 0);
  ASSERT_OK(medium().Remount());
  EXPECT_EQ(ReadWhole(path).bytes, "content");
}

KASSAY_CASE_F(EnableState, AFileWithoutExtentsIsRefused, Cites("FSV-053")) {
  const std::string content = Content(4096);
  const std::string path = Plain("file", content);
  ASSERT_EQ(SetFlags(path, 0), 0) << "mapped by blocks";
  EXPECT_THAT(Enable(path), IsErrno(EOPNOTSUPP));
  ExpectPlain(path, content);
  ASSERT_EQ(SetFlags(path, FS_EXTENT_FL), 0);
  EXPECT_EQ(Enable(path), 0);
  ExpectVerity(path, content);
}

}  // namespace
}  // namespace kassay::verity
