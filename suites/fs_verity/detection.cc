// How kernels on both sides of 7.0 answer; runs on all.
#include "suites/fs_verity/on_medium.h"

namespace kassay::verity {
namespace {

using Detection = OnExt4;

bool ShowsXflag(const std::string& verity_file) {
  fsxattr attr{};
  return GetXattr(verity_file, &attr) == 0 && (attr.fsx_xflags & kXflagVerity) != 0;
}

bool HasFileAttrCalls() {
  FileAttr attr;
  return FileGetattr("/", &attr) != -ENOSYS;
}

// Both doors agree, and what cannot be shown cannot be set either.
KASSAY_CASE_F(Detection, TheFlagIsShownByBothDoorsOrByNone, Cites("FSV-063").Detection()) {
  const std::string path = Plain("file", Content(kUsualSize));
  if (Enable(path) != 0) KASSAY_ABSENT("FS_IOC_ENABLE_VERITY does not work");
  const bool shown = ShowsXflag(path);
  RecordEvidence("FS_XFLAG_VERITY in FS_IOC_FSGETXATTR", shown ? "set" : "clear");
  FileAttr attr;
  if (!HasFileAttrCalls()) {
    EXPECT_FALSE(shown);
    EXPECT_THAT(FileGetattr(path, &attr), IsErrno(ENOSYS));
    EXPECT_THAT(FileSetattr(path, attr), IsErrno(ENOSYS));
  } else {
    EXPECT_EQ(FileGetattr(path, &attr), 0);
    EXPECT_EQ((attr.xflags & kXflagVerity) != 0, shown);
  }
  // The older doors do not depend on it.
  EXPECT_EQ(DoorsOf(path, false), kAllOpen);
}

KASSAY_CASE_F(Detection, AnUnknownVerityFlagIsRefused, Cites("FSV-063").Detection()) {
  const std::string content = Content(kUsualSize);
  const std::string path = Plain("file", content);
  const std::string verity = Verity("verity", content);
  const bool known = ShowsXflag(verity);
  for (const std::string& each : {path, verity}) {
    fsxattr xattr{};
    ASSERT_EQ(GetXattr(each, &xattr), 0);
    xattr.fsx_xflags |= kXflagVerity;
    // Before file_setattr came (6.17), unknown extended flags were ignored.
    EXPECT_EQ(SetXattr(each, xattr), known || !HasFileAttrCalls() ? 0 : -EOPNOTSUPP) << each;
    FileAttr attr;
    if (!HasFileAttrCalls()) {
      EXPECT_THAT(FileSetattr(each, attr), IsErrno(ENOSYS));
      continue;
    }
    ASSERT_EQ(FileGetattr(each, &attr), 0);
    attr.xflags |= kXflagVerity;
    EXPECT_EQ(FileSetattr(each, attr), known ? 0 : -EINVAL) << each;
  }
  ExpectPlain(path, content);
  ExpectVerity(verity, content);
}

KASSAY_CASE_F(Detection, AnOlderKernelRefusesTheFlagWithWhateverIsBesideIt,
              Cites("FSV-063").Detection()) {
  const std::string path = Plain("file", "content");
  if (ShowsXflag(Verity("verity", "content"))) KASSAY_ABSENT("this kernel knows FS_XFLAG_VERITY");
  if (!HasFileAttrCalls()) KASSAY_ABSENT("this kernel ignores unknown extended flags");
  fsxattr xattr{};
  ASSERT_EQ(GetXattr(path, &xattr), 0);
  xattr.fsx_xflags |= kXflagVerity | kXflagNodump;
  EXPECT_THAT(SetXattr(path, xattr), IsErrno(EOPNOTSUPP));
  ASSERT_EQ(GetXattr(path, &xattr), 0);
  EXPECT_EQ(xattr.fsx_xflags & kXflagNodump, 0U);
}

}  // namespace
}  // namespace kassay::verity
