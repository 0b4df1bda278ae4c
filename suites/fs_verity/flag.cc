// The flag through every door, and that it is nobody's to set or to clear.
#include <sys/stat.h>
#include <unistd.h>

#include "suites/fs_verity/on_medium.h"
#include "suites/support/child.h"
#include "suites/support/user_namespace.h"

namespace kassay::verity {
namespace {

using Flag = OnExt4;
class EachFlag : public OnEach {};
ON_EACH_FILE_SYSTEM(EachFlag);

// What userspace does: get, change, set.
fsxattr XattrOf(const std::string& path) {
  fsxattr attr{};
  EXPECT_EQ(GetXattr(path, &attr), 0) << path;
  return attr;
}
FileAttr AttrOf(const std::string& path) {
  FileAttr attr;
  EXPECT_EQ(FileGetattr(path, &attr), 0) << path;
  return attr;
}
std::uint32_t FlagsOf(const std::string& path) {
  std::uint32_t flags = 0;
  EXPECT_EQ(GetFlags(path, &flags), 0) << path;
  return flags;
}

KASSAY_CASE_P(EachFlag, GetflagsAndStatxShowWhatIsEnabled, Cites("FSV-001", "FSV-002", "FSV-004")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  const std::string other = Plain("other", content);
  EXPECT_EQ(DoorsOf(path, false), kAllShut);
  EXPECT_EQ(Enable(path), 0);
  EXPECT_EQ(DoorsOf(path, false), kAllOpen);
  EXPECT_EQ(DoorsOf(other, false), kAllShut);
  EXPECT_EQ(DoorsOf(medium().Folder(), false), kAllShut) << "a folder got the flag of its file";
  ExpectPlain(other, content);
}

KASSAY_CASE_P(EachFlag, EveryDoorShowsWhatIsEnabled, Cites("FSV-003")) {
  const std::string path = Plain("file", Content(kUsualSize));
  const std::string other = Plain("other", Content(kUsualSize));
  EXPECT_EQ(DoorsOf(path), kAllShut);
  EXPECT_EQ(Enable(path), 0);
  EXPECT_EQ(DoorsOf(path), kAllOpen);
  EXPECT_EQ(DoorsOf(other), kAllShut);
  EXPECT_EQ(DoorsOf(medium().Folder()), kAllShut);
  // Nothing else changes with it.
  const fsxattr attr = XattrOf(path);
  const fsxattr plain = XattrOf(other);
  EXPECT_EQ(attr.fsx_xflags, plain.fsx_xflags | kXflagVerity);
  EXPECT_EQ(attr.fsx_extsize, plain.fsx_extsize);
  EXPECT_EQ(attr.fsx_projid, plain.fsx_projid);
}

KASSAY_CASE_P(EachFlag, ShowsBeforeTheFileIsOpened, Cites("FSV-003")) {
  const std::string path = Verity("file", Content(kUsualSize));
  ASSERT_OK(medium().Remount());
  // Nothing of fs-verity is loaded yet: that happens on the first open.
  EXPECT_NE(AttrOf(path).xflags & kXflagVerity, 0U);
  EXPECT_NE(Statx(path).attributes & kStatxVerity, 0U);
  EXPECT_EQ(DoorsOf(path), kAllOpen);
}

KASSAY_CASE_P(EachFlag, ShowsOnEveryNameAndDescriptor, Cites("FSV-003")) {
  const std::string path = Verity("file", Content(kUsualSize));
  ASSERT_EQ(link(path.c_str(), Path("hard").c_str()), 0);
  ASSERT_EQ(symlink("file", Path("soft").c_str()), 0);
  EXPECT_EQ(DoorsOf(Path("hard")), kAllOpen);
  EXPECT_NE(AttrOf(Path("soft")).xflags & kXflagVerity, 0U) << "through a symbolic link";
  EXPECT_EQ(Statx(Path("soft")).attributes & kStatxVerity, 0U) << "of the symbolic link itself";
  const UniqueFd fd = OpenToRead(path);
  FileAttr attr;
  EXPECT_EQ(FileGetattr(fd.Get(), "", &attr, sizeof attr, AT_EMPTY_PATH), 0);
  EXPECT_NE(attr.xflags & kXflagVerity, 0U) << "of a descriptor";
}

KASSAY_CASE_F(Flag, StatxSaysThatTheFlagIsKnown, Cites("FSV-004")) {
  const std::string plain = Plain("plain", "plain");
  EXPECT_EQ(Statx(plain).attributes & kStatxVerity, 0U);
  EXPECT_NE(Statx(plain).mask & kStatxVerity, 0U);
  const std::string path = Verity("file", "content");
  EXPECT_NE(Statx(path).attributes & kStatxVerity, 0U);
  EXPECT_NE(Statx(path).mask & kStatxVerity, 0U);
}

KASSAY_CASE_P(EachFlag, FssetxattrCannotSetIt, Cites("FSV-006")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  fsxattr attr = XattrOf(path);
  attr.fsx_xflags |= kXflagVerity;
  EXPECT_EQ(SetXattr(path, attr), 0);
  EXPECT_EQ(DoorsOf(path), kAllShut);
  ExpectPlain(path, content);
  // Nor beside a flag that is his to set.
  attr.fsx_xflags |= kXflagNodump;
  EXPECT_EQ(SetXattr(path, attr), 0);
  EXPECT_EQ(XattrOf(path).fsx_xflags & (kXflagNodump | kXflagVerity), kXflagNodump);
  ExpectPlain(path, content);
}

KASSAY_CASE_P(EachFlag, FileSetattrCannotSetIt, Cites("FSV-007")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  FileAttr attr = AttrOf(path);
  attr.xflags |= kXflagVerity;
  EXPECT_EQ(FileSetattr(path, attr), 0);
  EXPECT_EQ(DoorsOf(path), kAllShut);
  ExpectPlain(path, content);
  attr.xflags |= kXflagNodump;
  EXPECT_EQ(FileSetattr(path, attr), 0);
  EXPECT_EQ(AttrOf(path).xflags & (kXflagNodump | kXflagVerity), kXflagNodump);
  ExpectPlain(path, content);
}

// btrfs refuses what it cannot change (fs/btrfs/ioctl.c:check_fsflags); ext4 leaves it out
// (fs/ext4/ioctl.c:ext4_fileattr_set).
KASSAY_CASE_P(EachFlag, SetflagsCannotSetIt, Cites("FSV-008")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  const long seen = SetFlags(path, FlagsOf(path) | FS_VERITY_FL);
  EXPECT_EQ(seen, GetParam() == Kind::kBtrfs ? -EOPNOTSUPP : 0);
  EXPECT_EQ(DoorsOf(path, false), kAllShut);
  ExpectPlain(path, content);
}

KASSAY_CASE_P(EachFlag, NobodyClearsIt, Cites("FSV-009")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Verity("file", content);
  EXPECT_EQ(SetXattr(path, fsxattr{}), 0);
  ExpectVerity(path, content);
  EXPECT_EQ(FileSetattr(path, FileAttr{}), 0);
  ExpectVerity(path, content);
  EXPECT_EQ(SetFlags(path, FlagsOf(path) & ~static_cast<std::uint32_t>(FS_VERITY_FL)), 0);
  ExpectVerity(path, content);
  EXPECT_EQ(DoorsOf(path), kAllOpen);
  ASSERT_OK(medium().Remount());
  ExpectVerity(path, content);
  EXPECT_EQ(DoorsOf(path), kAllOpen);
}

KASSAY_CASE_F(Flag, OlderDoorsDoNotClearItEither, Cites("FSV-056")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Verity("file", content);
  // Clearing everything asks ext4 to map the file without extents, which it cannot.
  EXPECT_THAT(SetFlags(path, 0), IsErrno(EOPNOTSUPP));
  ExpectVerity(path, content);
  EXPECT_EQ(SetFlags(path, FS_EXTENT_FL), 0);
  ExpectVerity(path, content);
  ASSERT_OK(medium().Remount());
  ExpectVerity(path, content);
}

// The metadata of an empty file is its only extent, so that nothing keeps ext4_ind_migrate() from
// rewriting it; the file is then corrupt for ext4_get_verity_descriptor_location().
KASSAY_CASE_F(Flag, AnEmptyFileSurvivesAChangeOfItsMapping, Cites("FSV-054")) {
  const std::string path = Verity("empty", "");
  const long seen = SetFlags(path, 0);
  EXPECT_TRUE(seen == 0 || seen == -EOPNOTSUPP) << ErrnoName(static_cast<int>(-seen));
  ExpectVerity(path, "");
  ASSERT_OK(medium().Remount());
  ExpectVerity(path, "");
}

KASSAY_CASE_P(EachFlag, ARoundTripChangesWhatWasChanged, Cites("FSV-010")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Verity("file", content);
  FileAttr attr = AttrOf(path);
  EXPECT_EQ(FileSetattr(path, attr), 0) << "what was got is set again";
  attr.xflags |= kXflagNodump;
  EXPECT_EQ(FileSetattr(path, attr), 0);
  EXPECT_EQ(AttrOf(path).xflags & (kXflagNodump | kXflagVerity), kXflagNodump | kXflagVerity);
  EXPECT_NE(FlagsOf(path) & FS_NODUMP_FL, 0U);
  ExpectVerity(path, content);
  fsxattr xattr = XattrOf(path);
  EXPECT_EQ(xattr.fsx_xflags & (kXflagNodump | kXflagVerity), kXflagNodump | kXflagVerity);
  xattr.fsx_xflags &= ~kXflagNodump;
  EXPECT_EQ(SetXattr(path, xattr), 0);
  EXPECT_EQ(AttrOf(path).xflags & (kXflagNodump | kXflagVerity), kXflagVerity);
  ExpectVerity(path, content);
}

KASSAY_CASE_F(Flag, ARoundTripOfSetflagsKeepsIt, Cites("FSV-056")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Verity("file", content);
  EXPECT_EQ(SetFlags(path, FlagsOf(path) | FS_NODUMP_FL), 0);
  EXPECT_EQ(FlagsOf(path) & (FS_NODUMP_FL | FS_VERITY_FL), FS_NODUMP_FL | FS_VERITY_FL);
  ExpectVerity(path, content);
}

KASSAY_CASE_F(Flag, UnknownFlagsAreRefused, Cites("FSV-011")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Verity("file", content);
  FileAttr attr = AttrOf(path);
  const FileAttr before = attr;
  for (const std::uint64_t bit :
       {std::uint64_t{kXflagUnknown}, std::uint64_t{1} << 32, std::uint64_t{1} << 63}) {
    attr.xflags = before.xflags | kXflagNodump | bit;
    EXPECT_THAT(FileSetattr(path, attr), IsErrno(EINVAL)) << std::hex << bit;
    EXPECT_EQ(AttrOf(path).xflags, before.xflags) << "half of it was done";
  }
  fsxattr xattr = XattrOf(path);
  xattr.fsx_xflags |= kXflagUnknown | kXflagNodump;
  EXPECT_THAT(SetXattr(path, xattr), IsErrno(EOPNOTSUPP));
  EXPECT_EQ(AttrOf(path).xflags, before.xflags);
  ExpectVerity(path, content);
}

KASSAY_CASE_F(Flag, SomebodyElseSetsNothing, Cites("FSV-006", "FSV-007")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  FileAttr attr = AttrOf(path);
  attr.xflags |= kXflagVerity;
  fsxattr xattr = XattrOf(path);
  xattr.fsx_xflags |= kXflagVerity;
  EXPECT_THAT(InChild([&] {
                if (const long switched = SwitchToUser(); switched != 0) return switched;
                return FileSetattr(path, attr);
              }),
              Returned(IsErrno(EPERM)));
  EXPECT_THAT(InChild([&] {
                if (const long switched = SwitchToUser(); switched != 0) return switched;
                return SetXattr(path, xattr);
              }),
              Returned(IsErrno(EPERM)));
  ExpectPlain(path, content);
}

KASSAY_CASE_F(Flag, DirectAccessCannotBeCombinedWithIt, Cites("FSV-055")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Verity("file", content);
  fsxattr attr = XattrOf(path);
  attr.fsx_xflags = kXflagDax;
  EXPECT_THAT(SetXattr(path, attr), IsErrno(EOPNOTSUPP));
  EXPECT_EQ(XattrOf(path).fsx_xflags & kXflagDax, 0U);
  ExpectVerity(path, content);
  const std::string plain = Plain("plain", content);
  ASSERT_EQ(SetXattr(plain, attr), 0);
  // Marked for direct access first, it cannot get verity (ext4_begin_enable_verity).
  EXPECT_THAT(Enable(plain), IsErrno(EINVAL));
  ExpectPlain(plain, content);
}

}  // namespace
}  // namespace kassay::verity
