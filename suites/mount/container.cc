// The whole way of a container runtime: an image's root becomes a namespace of its own, is
// furnished with proc, dev and tmpfs, gets a fresh root by pivot_root, and shows nothing of the
// host.
#include <fcntl.h>
#include <sys/wait.h>

#include <sstream>
#include <string>
#include <vector>

#include "suites/mount/mount_test.h"

namespace kassay::mount {
namespace {

std::string ReadSmallFile(const std::string& path) {
  const UniqueFd file = Own(Open(path, O_RDONLY));
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; (size = read(file.Get(), part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<size_t>(size));
  return text;
}

// The fields of mountinfo that name a place: root within the file system and mount point.
std::vector<std::string> MountPoints(const std::string& mountinfo) {
  std::vector<std::string> points;
  for (size_t at = 0; at < mountinfo.size();) {
    size_t end = mountinfo.find('\n', at);
    if (end == std::string::npos) end = mountinfo.size();
    const std::string line = mountinfo.substr(at, end - at);
    at = end + 1;
    size_t field = 0;
    for (int skip = 0; skip < 4; ++skip) field = line.find(' ', field) + 1;
    points.push_back(line.substr(field, line.find(' ', field) - field));
  }
  return points;
}

}  // namespace

class Container : public MountTest {
 protected:
  // An image's root: folders for what the runtime mounts, and one file by which it is known.
  [[nodiscard]] std::string Image() const {
    const std::string image = Tmpfs("image");
    for (const char* folder : {"/proc", "/dev", "/tmp", "/run", "/root", "/mnt"})
      EXPECT_EQ(Mkdir(image + folder), 0);
    EXPECT_EQ(CreateFile(image + "/etc-release"), 0);
    EXPECT_EQ(CreateFile(image + "/dev/null"), 0);
    return image;
  }

  // What the runtime does between open_tree and exec; 0 or the first error. `null_device` is a
  // detached copy of the host's /dev/null, from before the move.
  static long Furnish(const UniqueFd& null_device) {
    return FirstError(
        {Mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC),
         MoveMount(null_device.Get(), "", AT_FDCWD, "/dev/null", kMoveMountFEmptyPath),
         Mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV),
         Mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV)});
  }

  struct View {
    long setup = -1;
    long release = -1;         // the image's file is there
    long writes_null = -1;     // its device works
    long sees_host = -1;       // a path of the host, 0 if it can be reached
    long above = -1;           // the same through ".."
    long listed = -1;          // listmount
    long lines = -1;           // mountinfo
    long strangers = -1;       // mount points beside the expected ones
    long pids = -1;            // its own /proc: 1 is itself
    long host_mount = -1;      // statmount of a mount of the host
    long host_namespace = -1;  // listmount of the host's namespace
  };
  static void PrintView(const View& view, std::ostream& os) {
    os << "setup " << view.setup << ", release " << view.release << ", null " << view.writes_null
       << ", host path " << view.sees_host << ", above " << view.above << ", listed " << view.listed
       << ", lines " << view.lines << ", strangers " << view.strangers << ", pid 1 " << view.pids
       << ", host mount " << view.host_mount << ", host namespace " << view.host_namespace;
  }

  // Looks around from inside, after the way in.
  static View LookAround(long setup, const std::string& host_path, uint64_t host_mount,
                         uint64_t host_namespace) {
    View view;
    view.setup = setup;
    view.release = Exists("/etc-release");
    const UniqueFd null = Own(Open("/dev/null", O_WRONLY));
    view.writes_null = OrErrno(write(null.Get(), "x", 1));
    view.sees_host = Exists(host_path);
    view.above = Exists("/../.." + host_path);
    view.listed = CountMounts();
    const std::vector<std::string> points = MountPoints(ReadSmallFile("/proc/self/mountinfo"));
    view.lines = static_cast<long>(points.size());
    view.strangers = 0;
    for (const std::string& point : points)
      view.strangers += point != "/" && point != "/proc" && point != "/dev/null" &&
                        point != "/tmp" && point != "/run";
    view.pids = Exists("/proc/1/status") == 0 ? getpid() : -1;
    view.host_mount = StatMount(host_mount).error;
    view.host_namespace = CountMounts(host_namespace);
    return view;
  }

  static void ExpectIsolated(const ChildResult<View>& result, const auto& host_namespace) {
    ASSERT_TRUE(result.value.has_value()) << result.Describe();
    const View& view = *result.value;
    std::ostringstream text;
    PrintView(view, text);
    RecordEvidence("what the container saw", text.str());
    EXPECT_EQ(view.setup, 0);
    EXPECT_EQ(view.release, 0);
    EXPECT_EQ(view.writes_null, 1);
    EXPECT_EQ(view.sees_host, -ENOENT);
    EXPECT_EQ(view.above, -ENOENT);
    EXPECT_EQ(view.listed, 5) << "the image, proc, null, tmp, run";
    EXPECT_EQ(view.lines, 5);
    EXPECT_EQ(view.strangers, 0);
    EXPECT_EQ(view.pids, 1);
    EXPECT_EQ(view.host_mount, -ENOENT);
    EXPECT_THAT(view.host_namespace, host_namespace);
  }
};

KASSAY_CASE_F(Container, OfRootSeesItsImageAndNothingOfTheHost, Cites("MNT-224").Timeout(60)) {
  const std::string image = Image();
  const uint64_t host_mount = MountIdAt(image);
  const auto host_namespace = static_cast<uint64_t>(OwnNamespaceId());
  const std::vector<uint64_t> before = ListMounts();
  const UniqueFd null_device =
      Own(OpenTree(AT_FDCWD, "/dev/null", kOpenTreeClone | kOpenTreeCloexec));
  const auto result = InChild([&] {
    const UniqueFd ns = Own(NamespaceOf(image));
    const long moved = FirstError({Unshare(CLONE_NEWPID), Setns(ns.Get())});
    const auto inside = InChild([&] {
      const long setup = FirstError({moved, Furnish(null_device)});
      return LookAround(setup, image, host_mount, host_namespace);
    });
    return inside.value.value_or(View{});
  });
  // Root keeps its capabilities over the host's namespace; it can ask by id what it cannot reach by
  // path.
  ExpectIsolated(result, Gt(0));
  EXPECT_EQ(ListMounts(), before) << "nothing is left on the host";
}

KASSAY_CASE_F(Container, OfAnUnprivilegedUserSeesItsImageAndNothingOfTheHost,
              Cites("MNT-225").Timeout(60)) {
  AllowUnprivilegedUserNamespaces();
  const std::string image = Image();
  const uint64_t host_mount = MountIdAt(image);
  const auto host_namespace = static_cast<uint64_t>(OwnNamespaceId());
  const auto result = InChild([&] {
    // proc may be mounted only where one is seen already: the runtime takes the host's along and
    // drops it with the old root.
    const long ready = EnterUserNamespaceAsUser(CLONE_NEWNS | CLONE_NEWPID);
    const auto inside = InChild([&] {
      const UniqueFd null_device = Own(OpenTree(AT_FDCWD, "/dev/null", kOpenTreeClone));
      const UniqueFd all = Own(NamespaceOf("/", kAtRecursive));
      const long setup = FirstError(
          {ready, Setns(all.Get()), Bind(image, image), Chdir(image), Mount("proc", "proc", "proc"),
           MoveMount(null_device.Get(), "", AT_FDCWD, "dev/null", kMoveMountFEmptyPath),
           Mount("tmpfs", "tmp", "tmpfs"), Mount("tmpfs", "run", "tmpfs"), PivotRoot(".", "."),
           Umount("."), Chdir("/")});
      return LookAround(setup, image, host_mount, host_namespace);
    });
    return inside.value.value_or(View{});
  });
  ExpectIsolated(result, Eq(-ENOENT));
}

KASSAY_CASE_F(Container, PivotsToAFreshRootInside, Cites("MNT-226")) {
  const std::string image = Image();
  EXPECT_THAT(
      InChild([&] {
        const UniqueFd ns = Own(NamespaceOf(image));
        const long entered = Setns(ns.Get());
        // A writable layer as the new root, the image's root bound below it and then dropped.
        const long pivoted =
            FirstError({Mount("tmpfs", "/mnt", "tmpfs"), CreateFile("/mnt/fresh"), Chdir("/mnt"),
                        PivotRoot(".", "."), Umount("."), Chdir("/")});
        return Steps<5>{entered, pivoted, Exists("/fresh"), Exists("/etc-release"), CountMounts()};
      }),
      Returned(ElementsAre(0, 0, 0, IsErrno(ENOENT), 1)));
}

}  // namespace kassay::mount
