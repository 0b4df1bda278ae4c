// What the BPF security module sees of fs-verity.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/text/hex.h"
#include "suites/fs_verity/bpf_listener.h"
#include "suites/fs_verity/signer.h"

namespace kassay::verity {
namespace {

constexpr std::uint32_t kHead = 4;  // of struct fsverity_digest, before the digest

class BpfModule : public WithKeyring {
 protected:
  void SetUp() override {
    WithKeyring::SetUp();
    if (const std::string why = WhyNoBpfModule(); !why.empty()) KASSAY_ABSENT(why);
  }
  static BpfDigest Ask(const std::string& path, std::uint32_t size) {
    const Result<BpfDigest> asked = AskOnOpen(path, size);
    EXPECT_TRUE(asked) << (asked ? "" : asked.error().message);
    return asked ? *asked : BpfDigest{};
  }
  static std::string Part(const BpfDigest& asked, std::size_t from, std::size_t to) {
    return {asked.buffer.begin() + static_cast<std::ptrdiff_t>(from),
            asked.buffer.begin() + static_cast<std::ptrdiff_t>(to)};
  }
};

KASSAY_CASE_F(BpfModule, ADigestThatFitsIsGivenWhole, Cites("FSV-064").Timeout(120)) {
  for (const auto& [algorithm, size] :
       {std::pair{kSha256Algorithm, 32U}, {kSha512Algorithm, 64U}}) {
    const Setting setting{algorithm, 4096, "", ""};
    const std::string path = Verity(std::to_string(algorithm), content_, setting);
    const std::string digest = MerkleTree(content_, setting).file_digest;
    for (const std::uint32_t room : {size, size + 1, 100U}) {
      const BpfDigest asked = Ask(path, kHead + room);
      EXPECT_EQ(asked.result, 0) << room;
      EXPECT_EQ(ToHex(Part(asked, 0, kHead)), ToHex(std::string{static_cast<char>(algorithm), '\0',
                                                                static_cast<char>(size), '\0'}));
      EXPECT_EQ(ToHex(Part(asked, kHead, kHead + size)), ToHex(digest)) << room;
      // The rest of the buffer is cleared, and what is behind it is not.
      EXPECT_EQ(Part(asked, kHead + size, kHead + room), std::string(room - size, '\0'));
      EXPECT_EQ(Part(asked, kHead + room, kBpfRoom), std::string(kBpfRoom - kHead - room, '\x5a'));
    }
  }
}

KASSAY_CASE_F(BpfModule, ADigestThatDoesNotFitIsRefused, Cites("FSV-067").Timeout(120)) {
  const std::string path = Verity("file", content_);
  for (const std::uint32_t room : {0U, 1U, 16U, 31U}) {
    const BpfDigest asked = Ask(path, kHead + room);
    EXPECT_THAT(asked.result, IsErrno(EOVERFLOW)) << room;
    EXPECT_EQ(Part(asked, 0, kBpfRoom), std::string(kBpfRoom, '\x5a')) << room;
  }
  EXPECT_EQ(Ask(path, kHead + 32).result, 0);
}

KASSAY_CASE_F(BpfModule, WithoutRoomOrDigestItIsAnError, Cites("FSV-064")) {
  EXPECT_THAT(Ask(Verity("file", content_), kHead - 1).result, IsErrno(EINVAL));
  const BpfDigest asked = Ask(Plain("plain", content_), kHead + 32);
  EXPECT_THAT(asked.result, IsErrno(ENODATA));
  EXPECT_EQ(Part(asked, 0, kBpfRoom), std::string(kBpfRoom, '\x5a'));
}

KASSAY_CASE_F(BpfModule, ItHearsOfASignatureOnce, Cites("FSV-065")) {
  const auto counter = SignatureCounter::Attach();
  if (!counter) KASSAY_ABSENT(counter.error().message);
  const Signer signer("verity-rsa");
  Trust(signer);
  Verity("unsigned", content_);
  EXPECT_EQ(counter->Calls(), 0U);
  ExpectRefused(signer.For("another file"), EKEYREJECTED, "over another file");
  EXPECT_EQ(counter->Calls(), 0U);
  ExpectAccepted("signed", signer.For(content_));
  EXPECT_EQ(counter->Calls(), 1U);
  ASSERT_OK(medium().Remount());
  EXPECT_EQ(TryOpen(Path("signed"), O_RDONLY), 0);
  EXPECT_EQ(TryOpen(Path("signed"), O_RDONLY), 0);
  EXPECT_EQ(counter->Calls(), 2U) << "once more when it is loaded anew";
}

// The file system is full, and block after block becomes free: at first there is no room for the
// tree, then for the tree and not for the descriptor. By then the signature has been verified.
KASSAY_CASE_F(BpfModule, ItHearsNothingOfASignatureWhenEnablingFailsLate,
              Cites("FSV-065").Timeout(120)) {
  const auto counter = SignatureCounter::Attach();
  if (!counter) KASSAY_ABSENT(counter.error().message);
  const Signer signer("verity-rsa");
  Trust(signer);
  const std::string path = Plain("signed", content_);
  const Setting setting{kSha256Algorithm, 4096, "", signer.For(content_)};
  const UniqueFd filler(open(Path("filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  const std::string bytes = Content(std::size_t{1} << 20, 3);
  off_t size = 0;
  for (std::size_t part = bytes.size(); part >= 4096;) {
    const ssize_t written = pwrite(filler.Get(), bytes.data(), part, size);
    if (written > 0) size += written;
    if (written != static_cast<ssize_t>(part)) part /= 2;
  }
  ASSERT_EQ(fsync(filler.Get()), 0);
  int failures = 0;
  long seen = -ENOSPC;
  while (seen == -ENOSPC && size > 4096) {
    seen = Enable(path, setting);
    if (seen != 0) {
      ++failures;
      EXPECT_EQ(counter->Calls(), 0U) << "told although enabling failed";
      EXPECT_EQ(DoorsOf(path, false), kAllShut);
      EXPECT_EQ(TryOpen(path, O_RDWR), 0);
      if (HasFailure()) return;
      size -= 4096;
      ASSERT_EQ(ftruncate(filler.Get(), size), 0);
    }
  }
  ASSERT_EQ(seen, 0) << ErrnoName(static_cast<int>(-seen));
  EXPECT_EQ(counter->Calls(), 1U);
  RecordMeasure("rounds without space", failures);
  if (failures < 2) KASSAY_UNMET("there was room for all from the first");
}

}  // namespace
}  // namespace kassay::verity
