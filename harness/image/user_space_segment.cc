#include <fmt/format.h>

#include "harness/image/segments.h"
#include "harness/image/shared_libraries.h"
#include "harness/protocol/guest_layout.h"
#include "harness/suite/installed_suites.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "kassay:x:1000:1000:kassay:/tmp:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/:/bin/false\n";
constexpr const char* kGroup = "root:x:0:\nkassay:x:1000:\nnogroup:x:65534:\n";

Status AddExecutable(CpioImage& image, const fs::path& guest_path, const fs::path& host_file,
                     const Architecture& architecture) {
  image.AddFile(guest_path, host_file, 0755);
  KASSAY_TRY(const std::vector<SharedLibrary> libraries,
             SharedLibrariesOf(host_file, architecture));
  for (const SharedLibrary& library : libraries) {
    image.AddFile(library.guest_path, library.host_file, 0755);
  }
  return {};
}

void AddFixtureFile(CpioImage& image, const fs::path& root, const fs::path& file) {
  std::error_code ignored;
  const auto permissions = fs::status(file, ignored).permissions();
  const bool runs = (permissions & fs::perms::owner_exec) != fs::perms::none;
  image.AddFile(fs::path(kGuestFixturesDir) / file.lexically_relative(root), file,
                runs ? 0755 : 0644);
}

// `name` is a file, or a folder with everything in it, below fixtures/, of those in the source tree
// and of those that the build makes; LoadProfile has seen to it that it stays there.
Status AddFixture(CpioImage& image, const Installation& installation, const Profile& profile,
                  const std::string& name) {
  bool found = false;
  for (const fs::path& root : {installation.FixturesDir(), installation.BuiltFixturesDir()}) {
    const fs::path path = root / name;
    std::error_code error;
    const bool is_file = fs::is_regular_file(path, error);
    const bool is_folder = fs::is_directory(path, error);
    found = found || is_file || is_folder;
    if (is_file) AddFixtureFile(image, root, path);
    if (!is_folder) continue;
    for (fs::recursive_directory_iterator at(path, error), end; !error && at != end;
         at.increment(error)) {
      if (at->is_regular_file()) AddFixtureFile(image, root, at->path());
    }
    if (error) return Fail("cannot read " + path.string() + ": " + error.message());
  }
  if (found) return {};
  return Fail(fmt::format("profile '{}' names the fixture {}, which is neither in {} nor in {}",
                          profile.name, name, installation.FixturesDir().string(),
                          installation.BuiltFixturesDir().string()));
}

// Plain files of one folder.
Status AddPrepared(CpioImage& image, const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->is_regular_file()) {
      image.AddFile(fs::path(kGuestPreparedDir) / at->path().filename(), at->path(), 0644);
    }
  }
  if (error) return Fail("cannot read " + folder.string() + ": " + error.message());
  return {};
}

Status AddShell(CpioImage& image, const Architecture& architecture) {
  for (const fs::path busybox : {"/bin/busybox", "/usr/bin/busybox"}) {
    std::error_code ignored;
    if (!fs::exists(busybox, ignored)) continue;
    KASSAY_TRY(const auto libraries, SharedLibrariesOf(busybox, architecture));
    if (!libraries.empty()) break;
    image.AddFile("/bin/busybox", busybox, 0755);
    image.AddLink("/bin/sh", "busybox");
    return {};
  }
  return Fail("no statically linked busybox for the guest's shell: apt-get install busybox-static");
}

void AddSkeleton(CpioImage& image) {
  for (const char* folder : {"/bin", "/dev", "/etc", kGuestFixturesDir, kGuestSuitesDir, "/mnt",
                             "/proc", "/run", "/sbin", "/sys", "/usr/bin"}) {
    image.AddFolder(folder);
  }
  image.AddFolder("/root", 0700);
  image.AddFolder("/tmp", 01777);
  // PID 1 starts with its standard streams on /dev/console (init/main.c:console_on_rootfs()).
  image.AddCharacterDevice("/dev/console", 5, 1, 0600);
  image.AddCharacterDevice("/dev/null", 1, 3, 0666);
  image.AddText("/etc/passwd", kPasswd);
  image.AddText("/etc/group", kGroup);
  image.AddText("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
  image.AddText("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
}

}  // namespace

Result<CpioImage> UserSpaceSegment(const InitramfsSpec& spec) {
  const Architecture& architecture = *spec.kernel->architecture;
  CpioImage image;
  AddSkeleton(image);
  const Installation& installation = *spec.installation;
  const fs::path agent = installation.Agent();
  if (std::error_code ignored; !fs::exists(agent, ignored))
    return Fail("there is no " + agent.string() + ": build kassay, or install it again");
  KASSAY_CHECK(AddExecutable(image, "/init", agent, architecture));
  for (const std::string& suite : spec.suites) {
    KASSAY_TRY(const SuiteFiles files, FindSuite(installation, suite));
    KASSAY_CHECK(
        AddExecutable(image, fs::path(kGuestSuitesDir) / suite, files.executable, architecture));
  }
  for (const std::string& name : spec.profile->files) {
    KASSAY_CHECK(AddFixture(image, installation, *spec.profile, name));
  }
  for (const fs::path& folder : spec.prepared) KASSAY_CHECK(AddPrepared(image, folder));
  if (spec.with_shell) KASSAY_CHECK(AddShell(image, architecture));
  return image;
}

}  // namespace kassay
