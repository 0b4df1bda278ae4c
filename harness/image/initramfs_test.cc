#include "harness/image/initramfs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/image/shared_libraries.h"
#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using testing::Module;
using ::testing::Not;
using testing::ScratchFolder;
using testing::Write;
using testing::Xz;

// All segments of an initramfs, as the kernel would unpack them: path to content. Written from
// Documentation/driver-api/early-userspace/buffer-format.rst, not with the library that wrote it.
std::map<std::string, std::string> Unpacked(const fs::path& file) {
  constexpr size_t kHeaderBytes = 110;
  const std::string bytes = *ReadFile(file);
  const auto field = [&](size_t header, size_t index) {
    return std::stoul(bytes.substr(header + 6 + index * 8, 8), nullptr, 16);
  };
  const auto padded = [](size_t at) { return (at + 3) / 4 * 4; };
  std::map<std::string, std::string> files;
  int segments = 0;
  for (size_t at = 0; at < bytes.size();) {
    if (bytes[at] == '\0') {  // padding between segments
      ++at;
      continue;
    }
    EXPECT_EQ(at % 4, 0U);
    EXPECT_EQ(bytes.substr(at, 6), "070701");
    const size_t size = field(at, 6);
    const size_t name_size = field(at, 11);
    const std::string name = bytes.substr(at + kHeaderBytes, name_size - 1);
    const size_t content = padded(at + kHeaderBytes + name_size);
    if (name == "TRAILER!!!") {
      ++segments;
    } else {
      files[name] = bytes.substr(content, size);
    }
    at = padded(content + size);
  }
  EXPECT_EQ(segments, 2);
  return files;
}

class InitramfsTest : public ::testing::Test {
 protected:
  InitramfsTest() {
    installation_.libexec_dir = folder_ / "libexec";
    installation_.data_dir = folder_ / "share";
    Write(folder_ / "share/suites/demo/requirements.toml", "");
    fs::create_directories(folder_ / "libexec/suites");
    // Any dynamic programs stand for a suite and for the agent.
    fs::copy_file("/bin/ls", folder_ / "libexec/suites/demo");
    fs::copy_file("/bin/true", folder_ / "libexec/guest-agent");
    Write(folder_ / "share/fixtures/keys/a.pem", "key");
    Write(folder_ / "share/fixtures/b.bin", "blob");
    Write(folder_ / "libexec/fixtures/keys/built.policy", "built");
    AddModule("kernel/a.ko.xz", {"depends=b"});
    AddModule("kernel/b.ko.xz", {"depends="});
    AddModule("kernel/c.ko.xz", {"depends=b,d"});
    AddModule("kernel/d.ko.xz", {"depends="});
    kernel_.identity.release = "7.0-test";
    kernel_.identity.modules_sha256 = "m";
    kernel_.modules_dir = folder_ / "modules";
    profile_.name = "test";
    profile_.modules = {"a"};
    profile_.image_modules = {"c", "nosuch"};
    profile_.files = {"keys", "b.bin"};
  }
  void AddModule(const std::string& path, const std::vector<std::string>& info) {
    Write(folder_ / "modules" / path, Xz(Module(info)));
  }

  Result<Initramfs> Build(std::vector<std::string> suites = {"demo"}, bool with_shell = false) {
    InitramfsSpec spec;
    spec.installation = &installation_;
    spec.kernel = &kernel_;
    spec.profile = &profile_;
    spec.suites = std::move(suites);
    spec.with_shell = with_shell;
    return BuildInitramfs(spec, folder_ / "cache");
  }

  std::vector<std::string> CacheFiles() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder_ / "cache", none)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  ScratchFolder folder_;
  Kernel kernel_;
  Profile profile_;
  Installation installation_;
};

TEST_F(InitramfsTest, HoldsAgentSuiteLibrariesAndFixtures) {
  const auto image = Build();
  ASSERT_TRUE(image) << image.error().message;
  const auto files = Unpacked(image->path);

  EXPECT_EQ(files.at("init"), *ReadFile("/bin/true"));
  EXPECT_EQ(files.at("kassay/suites/demo"), *ReadFile("/bin/ls"));
  EXPECT_EQ(files.at("kassay/fixtures/keys/a.pem"), "key");
  EXPECT_EQ(files.at("kassay/fixtures/b.bin"), "blob");
  EXPECT_EQ(files.at("kassay/fixtures/keys/built.policy"), "built");
  EXPECT_THAT(files, Contains(Key("lib64/ld-linux-x86-64.so.2")));
  EXPECT_THAT(files, Contains(Key(HasSubstr("libc.so.6"))));
  EXPECT_THAT(files, Contains(Key(HasSubstr("libselinux.so.1"))));
  EXPECT_THAT(files.at("etc/passwd"), HasSubstr("kassay:x:1000:1000"));
  EXPECT_THAT(files, Not(Contains(Key("bin/busybox"))));
  for (const char* folder : {"proc", "sys", "dev", "tmp", "run"}) {
    EXPECT_THAT(files, Contains(Key(folder)));
  }
}

TEST_F(InitramfsTest, HoldsTheModulesInLoadOrder) {
  const auto image = Build();
  ASSERT_TRUE(image) << image.error().message;
  const auto files = Unpacked(image->path);
  const std::string dir = "/lib/modules/7.0-test/kernel/";
  EXPECT_EQ(files.at("kassay/modules.load"), dir + "b.ko\n" + dir + "a.ko\n");
  EXPECT_EQ(files.at("kassay/modules.available"), "d " + dir + "d.ko\nc " + dir + "c.ko\n");
  EXPECT_EQ(files.at("lib/modules/7.0-test/kernel/a.ko"), Module({"depends=b"}));
  EXPECT_EQ(files.at("lib/modules/7.0-test/kernel/d.ko"), Module({"depends="}));
  EXPECT_THAT(image->missing_modules, ElementsAre("nosuch"));
}

TEST_F(InitramfsTest, TellsItsHash) {
  const auto image = Build();
  ASSERT_TRUE(image);
  EXPECT_EQ(image->sha256, *Sha256HexOfFile(image->path));
}

TEST_F(InitramfsTest, IsMadeOnceForTheSameInputs) {
  const auto first = Build();
  ASSERT_TRUE(first);
  const auto written = fs::last_write_time(first->path);
  fs::remove_all(folder_ / "modules/kernel/a.ko.xz");  // would be missed if it were made again
  AddModule("kernel/a.ko.xz", {"depends=gone"});
  const auto second = Build();
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->path, first->path);
  EXPECT_EQ(second->sha256, first->sha256);
  EXPECT_EQ(second->missing_modules, first->missing_modules);
  EXPECT_GE(fs::last_write_time(second->path), written);
}

TEST_F(InitramfsTest, IsTheSameBytesInAnotherCache) {
  const auto first = Build();
  ASSERT_TRUE(first);
  fs::rename(folder_ / "cache", folder_ / "before");
  const auto second = Build();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->sha256, first->sha256);
}

TEST_F(InitramfsTest, IsAnotherOneForOtherInputs) {
  const std::string plain = Build()->sha256;
  EXPECT_NE(Build({})->sha256, plain);
  profile_.modules = {"b"};
  EXPECT_NE(Build()->sha256, plain);
  profile_.modules = {"a"};
  Write(folder_ / "share/fixtures/b.bin", "other");
  EXPECT_NE(Build()->sha256, plain);
  Write(folder_ / "share/fixtures/b.bin", "blob");
  EXPECT_EQ(Build()->sha256, plain);
  kernel_.identity.release = "7.1-test";
  EXPECT_NE(Build()->sha256, plain);
}

TEST_F(InitramfsTest, ATruncatedOneIsMadeAgain) {
  const auto first = Build();
  ASSERT_TRUE(first);
  fs::resize_file(first->path, 1000);
  const auto second = Build();
  ASSERT_TRUE(second);
  EXPECT_EQ(*Sha256HexOfFile(second->path), first->sha256);
}

TEST_F(InitramfsTest, TwoMayBeMadeAtOnce) {
  std::vector<std::thread> threads;
  std::vector<std::string> hashes(4);
  for (auto& hash : hashes) {
    threads.emplace_back([this, &hash] {
      const auto image = Build();
      if (image) hash = image->sha256;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_NE(hashes[0], "");
  EXPECT_THAT(hashes, ::testing::Each(hashes[0]));
  EXPECT_THAT(CacheFiles(), ::testing::Each(Not(HasSubstr(".part"))));
}

TEST_F(InitramfsTest, WhatIsMissingIsNamedAndNothingIsLeft) {
  const auto error = [](const Result<Initramfs>& result) {
    EXPECT_FALSE(result);
    return result ? Error{} : result.error();
  };
  EXPECT_THAT(error(Build({"nosuch"})).message, HasSubstr("no suite 'nosuch'"));
  EXPECT_EQ(error(Build({"nosuch"})).kind, ErrorKind::kUsage);
  EXPECT_FALSE(Build({"../guest-agent"}));
  profile_.files = {"gone.pem"};
  EXPECT_THAT(error(Build()).message, HasSubstr("fixture gone.pem"));
  profile_.files = {};
  Write(folder_ / "modules/kernel/a.ko.xz", "damaged");
  EXPECT_THAT(error(Build()).message, HasSubstr("a.ko.xz"));
  EXPECT_THAT(CacheFiles(), Not(Contains(HasSubstr(".part"))));
  EXPECT_THAT(CacheFiles(), Not(Contains(HasSubstr("initramfs-"))));
  fs::remove(folder_ / "libexec/guest-agent");
  EXPECT_THAT(error(Build()).message, HasSubstr("guest-agent"));
}

TEST_F(InitramfsTest, AKernelWithoutModulesHasEmptyLists) {
  kernel_.modules_dir.clear();
  profile_.image_modules.clear();
  const auto image = Build();
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(Unpacked(image->path).at("kassay/modules.load"), "");
  EXPECT_THAT(image->missing_modules, ElementsAre("a"));
}

TEST_F(InitramfsTest, BringsAShellOnRequest) {
  ASSERT_TRUE(fs::exists("/bin/busybox")) << "apt-get install busybox-static";
  const auto image = Build({}, true);
  ASSERT_TRUE(image) << image.error().message;
  const auto files = Unpacked(image->path);
  EXPECT_EQ(files.at("bin/busybox"), *ReadFile("/bin/busybox"));
  EXPECT_THAT(files, Contains(Key("bin/sh")));
}

TEST(SharedLibraries, AreThoseThatTheProgramStartsWith) {
  const auto libraries = SharedLibrariesOf("/proc/self/exe", kX86_64);
  ASSERT_TRUE(libraries) << libraries.error().message;
  // The dynamic linker has loaded at least these files into this process; /proc/self/maps is the
  // independent witness.
  const std::string maps = *ReadFile("/proc/self/maps");
  for (const auto& library : *libraries) {
    EXPECT_THAT(maps, HasSubstr(fs::canonical(library.host_file).string()));
    EXPECT_EQ(library.guest_path, library.host_file);
  }
  EXPECT_GE(libraries->size(), 5U);
  EXPECT_TRUE(SharedLibrariesOf("/bin/busybox", kX86_64)->empty()) << "it is static";
}

TEST(SharedLibraries, OfWhatIsNoProgramAreAnError) {
  EXPECT_FALSE(SharedLibrariesOf("/etc/passwd", kX86_64));
  EXPECT_FALSE(SharedLibrariesOf("/nonexistent", kX86_64));
}

TEST(SharedLibraries, OfAnotherArchitectureAreRefused) {
  Architecture other = kX86_64;
  other.elf_machine = EM_AARCH64;
  other.words = "64-bit Arm";
  const auto refused = SharedLibrariesOf("/proc/self/exe", other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "/proc/self/exe is no 64-bit Arm program or library");
}

}  // namespace
}  // namespace kassay
