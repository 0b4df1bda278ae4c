// FS_IOC_ENABLE_VERITY's argument, field by field: each boundary and its neighbour. What is refused
// leaves the file as it was.
#include <sys/mman.h>

#include <functional>

#include "suites/fs_verity/on_medium.h"

namespace kassay::verity {
namespace {

class EnableArgument : public OnExt4 {
 protected:
  void SetUp() override {
    OnExt4::SetUp();
    path_ = Plain("file", content_);
  }
  // Each call on the same file, which must stay plain.
  void ExpectRefused(int error, const std::string& what,
                     const std::function<void(fsverity_enable_arg&)>& change) {
    fsverity_enable_arg argument = ArgumentOf(setting_);
    change(argument);
    EXPECT_THAT(EnableRaw(OpenToRead(path_).Get(), &argument), IsErrno(error)) << what;
    ExpectPlain(path_, content_);
  }
  void ExpectAccepted(const Setting& setting) {
    EXPECT_EQ(Enable(path_, setting), 0);
    ExpectVerity(path_, content_, setting);
    // Enabled once, it is done with: the next setting gets a file of its own.
    path_ = Plain("file" + std::to_string(++count_), content_);
  }

  Setting setting_;
  std::string content_ = Content(kUsualSize);
  std::string path_;
  int count_ = 0;
};

// A page that cannot be read.
class Unreadable {
 public:
  Unreadable() : page_(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  ~Unreadable() { munmap(page_, 4096); }
  Unreadable(const Unreadable&) = delete;
  Unreadable& operator=(const Unreadable&) = delete;
  [[nodiscard]] std::uint64_t Address() const { return reinterpret_cast<std::uint64_t>(page_); }
  [[nodiscard]] const fsverity_enable_arg* Argument() const {
    return static_cast<const fsverity_enable_arg*>(page_);
  }

 private:
  void* page_;
};

KASSAY_CASE_F(EnableArgument, OtherVersionsAreRefused, Cites("FSV-013")) {
  for (const std::uint32_t version : {0U, 2U, 0x101U, 0xffffffffU})
    ExpectRefused(EINVAL, "version " + std::to_string(version),
                  [&](fsverity_enable_arg& argument) { argument.version = version; });
  ExpectAccepted({});
}

KASSAY_CASE_F(EnableArgument, ReservedFieldsMustBeZero, Cites("FSV-013")) {
  ExpectRefused(EINVAL, "first field",
                [](fsverity_enable_arg& argument) { argument.__reserved1 = 1; });
  ExpectRefused(EINVAL, "first field, high bit",
                [](fsverity_enable_arg& argument) { argument.__reserved1 = 0x80000000U; });
  for (std::size_t i = 0; i < std::size(fsverity_enable_arg{}.__reserved2); ++i)
    ExpectRefused(
        EINVAL, "second field, word " + std::to_string(i),
        [&](fsverity_enable_arg& argument) { argument.__reserved2[i] = std::uint64_t{1} << 63; });
  ExpectAccepted({});
}

KASSAY_CASE_F(EnableArgument, BlockSizesAreBounded, Cites("FSV-014").Timeout(120)) {
  for (const std::uint32_t size :
       {0U, 1U, 512U, 1023U, 1025U, 3072U, 4095U, 4097U, 8192U, 65536U, 0x80000000U, 0xffffffffU})
    ExpectRefused(EINVAL, "block size " + std::to_string(size),
                  [&](fsverity_enable_arg& argument) { argument.block_size = size; });
  for (const std::uint32_t size : {1024U, 2048U, 4096U})
    ExpectAccepted({kSha256Algorithm, size, "", ""});
}

KASSAY_CASE_F(EnableArgument, OtherAlgorithmsAreRefused, Cites("FSV-015")) {
  for (const std::uint32_t algorithm : {0U, 3U, 255U, 256U, 257U, 0x10001U, 0xffffffffU})
    ExpectRefused(EINVAL, "algorithm " + std::to_string(algorithm),
                  [&](fsverity_enable_arg& argument) { argument.hash_algorithm = algorithm; });
  ExpectAccepted({kSha256Algorithm, 4096, "", ""});
  ExpectAccepted({kSha512Algorithm, 4096, "", ""});
}

KASSAY_CASE_F(EnableArgument, ALongSaltIsRefused, Cites("FSV-016")) {
  setting_.salt = Content(64, 2);
  for (const std::uint32_t size : {33U, 64U, 256U + 8U, 0xffffffffU})
    ExpectRefused(EMSGSIZE, "salt of " + std::to_string(size),
                  [&](fsverity_enable_arg& argument) { argument.salt_size = size; });
  ExpectAccepted({kSha256Algorithm, 4096, Content(32, 2), ""});
  ExpectAccepted({kSha256Algorithm, 4096, Content(1, 2), ""});
}

// What is not too long is copied, which is seen by the error of a bad address.
KASSAY_CASE_F(EnableArgument, ALongSignatureIsRefused, Cites("FSV-016", "FSV-017")) {
  const Unreadable page;
  for (const std::uint32_t size : {16129U, 65536U, 0xffffffffU})
    ExpectRefused(EMSGSIZE, "signature of " + std::to_string(size),
                  [&](fsverity_enable_arg& argument) {
                    argument.sig_size = size;
                    argument.sig_ptr = page.Address();
                  });
  for (const std::uint32_t size : {1U, 16128U})
    ExpectRefused(EFAULT, "signature of " + std::to_string(size),
                  [&](fsverity_enable_arg& argument) {
                    argument.sig_size = size;
                    argument.sig_ptr = page.Address();
                  });
  ExpectAccepted({});
}

KASSAY_CASE_F(EnableArgument, WhatCannotBeReadIsRefused, Cites("FSV-017")) {
  const Unreadable page;
  EXPECT_THAT(EnableRaw(OpenToRead(path_).Get(), nullptr), IsErrno(EFAULT));
  ExpectPlain(path_, content_);
  EXPECT_THAT(EnableRaw(OpenToRead(path_).Get(), page.Argument()), IsErrno(EFAULT));
  ExpectPlain(path_, content_);
  for (const std::uint64_t address : {std::uint64_t{0}, page.Address(), ~std::uint64_t{0}})
    ExpectRefused(EFAULT, "salt", [&](fsverity_enable_arg& argument) {
      argument.salt_size = 32;
      argument.salt_ptr = address;
    });
  ExpectRefused(EFAULT, "signature at NULL",
                [&](fsverity_enable_arg& argument) { argument.sig_size = 1; });
  // An address without a size is not looked at.
  fsverity_enable_arg argument = ArgumentOf({});
  argument.salt_ptr = argument.sig_ptr = page.Address();
  EXPECT_EQ(EnableRaw(OpenToRead(path_).Get(), &argument), 0);
  ExpectVerity(path_, content_);
}

class SmallBlocks : public EnableArgument {
 protected:
  void SetUp() override {
    MountMedium(Kind::kExt4Small);
    path_ = Plain("file", content_);
  }
};

// The file system's block is 1 KiB here.
KASSAY_CASE_F(SmallBlocks, TheFileSystemsBlockIsALimitToo, Cites("FSV-014")) {
  for (const std::uint32_t size : {512U, 2048U, 4096U})
    ExpectRefused(EINVAL, "block size " + std::to_string(size),
                  [&](fsverity_enable_arg& argument) { argument.block_size = size; });
  ExpectAccepted({kSha256Algorithm, 1024, "", ""});
  ExpectAccepted({kSha512Algorithm, 1024, Content(32, 2), ""});
}

}  // namespace
}  // namespace kassay::verity
