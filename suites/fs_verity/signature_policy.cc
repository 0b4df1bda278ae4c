// Who may add signers, sealing, and the switch that wants every file signed.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "suites/fs_verity/signer.h"
#include "suites/support/child.h"
#include "suites/support/scoped_sysctl.h"
#include "suites/support/user_namespace.h"

namespace kassay::verity {
namespace {

using namespace trust;  // NOLINT(google-build-using-namespace)
using SignerKeyring = WithKeyring;
using RequireSignatures = WithKeyring;

constexpr const char* kSwitch = "fs/verity/require_signatures";
constexpr const char* kSwitchFile = "/proc/sys/fs/verity/require_signatures";

// Writes once to a file opened anew; 0 or a negative errno.
long WriteSwitch(std::string_view text) {
  const UniqueFd file(open(kSwitchFile, O_WRONLY | O_CLOEXEC));
  if (!file.IsOpen()) return -errno;
  return write(file.Get(), text.data(), text.size()) < 0 ? -errno : 0;
}
std::string ReadSwitch() { return ReadWhole(kSwitchFile).bytes; }

KASSAY_CASE_F(SignerKeyring, OnlyRootAdds, Cites("FSV-046")) {
  const std::string certificate = FixtureCertificate("verity-rsa");
  EXPECT_THAT(InChild([&] {
                if (const long switched = SwitchToUser(); switched != 0) return switched;
                return static_cast<long>(AddCertificate(certificate, ring_));
              }),
              Returned(IsErrno(EACCES)));
  EXPECT_EQ(CountOf(ring_), 0);
  EXPECT_EQ(Describe(ring_), "keyring;0;0;082f0000;.fs-verity");
  Trust(Signer("verity-rsa"));
  EXPECT_EQ(CountOf(ring_), 1);
}

KASSAY_CASE_F(SignerKeyring, SealedItTakesNothingMore, Cites("FSV-046", "FSV-040")) {
  const Signer signer("verity-rsa");
  Trust(signer);
  ASSERT_EQ(keyctl_restrict_keyring(ring_, nullptr, nullptr), 0);
  EXPECT_THAT(AddCertificate(FixtureCertificate("stranger-rsa"), ring_), IsErrno(EPERM));
  const Serial elsewhere = AddCertificate(FixtureCertificate("stranger-rsa"));
  ASSERT_GT(elsewhere, 0);
  EXPECT_THAT(Link(elsewhere, ring_), IsErrno(EPERM));
  EXPECT_EQ(CountOf(ring_), 1);
  // Sealed for good, and what is in it still counts.
  EXPECT_THAT(keyctl_restrict_keyring(ring_, nullptr, nullptr), SyscallFailsWithErrno(EEXIST));
  EXPECT_THAT(Restrict(ring_, "builtin_trusted"), IsErrno(EEXIST));
  ExpectAccepted("file", signer.For(content_));
  ExpectRefused(Signer("stranger-rsa").For(content_), ENOKEY, "the one that was not let in");
}

KASSAY_CASE_F(SignerKeyring, SealedItCanStillBeCleared, Cites("FSV-046", "FSV-041")) {
  const Signer signer("verity-rsa");
  Trust(signer);
  ASSERT_EQ(keyctl_restrict_keyring(ring_, nullptr, nullptr), 0);
  EXPECT_EQ(keyctl_clear(ring_), 0);
  EXPECT_EQ(CountOf(ring_), 0);
  EXPECT_THAT(AddCertificate(signer.certificate, ring_), IsErrno(EPERM));
  ExpectRefused(signer.For(content_), ENOKEY, "nobody is left");
}

KASSAY_CASE_F(SignerKeyring, SealedEmptyItStaysEmpty, Cites("FSV-046", "FSV-041")) {
  ASSERT_EQ(keyctl_restrict_keyring(ring_, nullptr, nullptr), 0);
  EXPECT_THAT(AddCertificate(FixtureCertificate("verity-rsa"), ring_), IsErrno(EPERM));
  EXPECT_EQ(CountOf(ring_), 0);
}

std::set<Serial> KeysOn(Serial ring) {
  const std::string payload = Read(ring).payload;
  std::set<Serial> keys;
  for (std::size_t at = 0; at + sizeof(Serial) <= payload.size(); at += sizeof(Serial)) {
    Serial key = 0;
    payload.copy(reinterpret_cast<char*>(&key), sizeof key, at);
    keys.insert(key);
  }
  return keys;
}

// Additions are under way all the time (parsing and verifying a certificate takes most of it) when
// the keyring is sealed: what is in it when that call has returned is all that there will ever be.
KASSAY_CASE_F(SignerKeyring, AnAdditionUnderWayIsKeptOutBySealing, Cites("FSV-052").Timeout(120)) {
  const SigningKey key = FixtureKey("verity-rsa");
  constexpr int kThreads = 4;
  constexpr int kCertificates = 40;
  std::vector<std::vector<std::string>> certificates(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    for (int i = 0; i < kCertificates; ++i) {
      const std::string name = std::to_string(thread) + "-" + std::to_string(i);
      certificates[thread].push_back(
          Certify({name, &key}, {name, &key}, false, 0x1000U + static_cast<unsigned>(i)).Der());
    }
  }
  std::atomic<int> added = 0;
  std::atomic<int> refused = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (const std::string& certificate : certificates[thread])
        ++(AddCertificate(certificate, ring_) > 0 ? added : refused);
    });
  }
  while (added < 2 * kThreads && refused == 0) std::this_thread::yield();
  ASSERT_EQ(keyctl_restrict_keyring(ring_, nullptr, nullptr), 0);
  const std::set<Serial> sealed = KeysOn(ring_);
  for (std::jthread& thread : threads) thread.join();
  if (refused == 0) KASSAY_UNMET("every addition was over before the keyring was sealed");
  std::set<Serial> after = KeysOn(ring_);
  for (const Serial before : sealed) after.erase(before);
  EXPECT_TRUE(after.empty()) << "keys came in after the keyring was sealed";
}

KASSAY_CASE_F(RequireSignatures, UnsignedFilesAreNotEnabled, Cites("FSV-044")) {
  const ScopedSysctl required(kSwitch, "1");
  ASSERT_TRUE(required.Ok());
  const Signer signer("verity-rsa");
  Trust(signer);
  const std::string path = Plain("unsigned", content_);
  EXPECT_THAT(Enable(path), IsErrno(EPERM));
  ExpectPlain(path, content_);
  ExpectAccepted("signed", signer.For(content_));
  // The other errors are as before.
  ExpectRefused(signer.For("other content"), EKEYREJECTED, "over another file");
  ExpectRefused(Signer("stranger-rsa").For(content_), ENOKEY, "by somebody unknown");
}

KASSAY_CASE_F(RequireSignatures, UnsignedFilesAreNotOpenedOnceLoadedAnew,
              Cites("FSV-044").Timeout(120)) {
  const Signer signer("verity-rsa");
  Trust(signer);
  const std::string path = Verity("unsigned", content_);
  ExpectAccepted("signed", signer.For(content_));
  ScopedSysctl required(kSwitch, "1");
  ASSERT_TRUE(required.Ok());
  EXPECT_EQ(TryOpen(path, O_RDONLY), 0) << "what is loaded is loaded";
  ASSERT_OK(medium().Remount());
  EXPECT_THAT(TryOpen(path, O_RDONLY), IsErrno(EPERM));
  EXPECT_THAT(TryOpen(path, O_RDWR), IsErrno(EPERM));
  EXPECT_THAT(truncate(path.c_str(), 0), SyscallFailsWithErrno(EPERM));
  EXPECT_NE(Statx(path).attributes & kStatxVerity, 0U);
  ExpectVerity(Path("signed"), content_);
  EXPECT_EQ(ReadWhole(Plain("plain", content_)).result, static_cast<long>(content_.size()))
      << "plain files are no concern of it";
  // The switch goes back, and so does the file.
  ASSERT_TRUE(required.Set("0"));
  ExpectVerity(path, content_);
}

KASSAY_CASE_F(RequireSignatures, TheSwitchTakesZeroAndOne, Cites("FSV-045")) {
  EXPECT_EQ(ReadSwitch(), "0\n");
  for (const char* wrong : {"2", "-1", "10", "4294967296", "4294967297", "x"}) {
    EXPECT_THAT(WriteSwitch(wrong), IsErrno(EINVAL)) << wrong;
    EXPECT_EQ(ReadSwitch(), "0\n") << wrong;
  }
  EXPECT_EQ(WriteSwitch("1"), 0);
  EXPECT_EQ(ReadSwitch(), "1\n");
  EXPECT_THAT(WriteSwitch("2"), IsErrno(EINVAL));
  EXPECT_EQ(ReadSwitch(), "1\n");
  EXPECT_EQ(WriteSwitch("0"), 0);
  EXPECT_EQ(ReadSwitch(), "0\n");
}

KASSAY_CASE_F(RequireSignatures, TheSwitchIsRoots, Cites("FSV-045")) {
  struct stat seen {};
  ASSERT_EQ(stat(kSwitchFile, &seen), 0);
  EXPECT_EQ(seen.st_mode & 07777, 0644U);
  EXPECT_EQ(seen.st_uid, 0U);
  EXPECT_THAT(InChild([] {
                if (const long switched = SwitchToUser(); switched != 0) return switched;
                return WriteSwitch("1");
              }),
              Returned(IsErrno(EACCES)));
  EXPECT_EQ(ReadSwitch(), "0\n");
}

}  // namespace
}  // namespace kassay::verity
