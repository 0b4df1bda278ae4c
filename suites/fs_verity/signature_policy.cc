// Who may add signers, sealing, and the switch that wants every file signed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "harness/protocol/suite_program.h"
#include "suites/fs_verity/signer.h"
#include "suites/support/child.h"
#include "suites/support/helper.h"
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

// A certificate by a signature algorithm that no kernel here has built in (RFC 9215's
// id-tc26-signwithdigest-gost3410-12-256 needs Streebog). Whoever adds it waits for modprobe in the
// midst of parsing (x509_public_key.c:x509_get_sig_params); without the algorithm the signature is
// not looked at, and the key comes in all the same.
std::string NeedsAModule(const std::string& name) {
  const SigningKey key = FixtureKey("verity-rsa");
  CertificateFields fields = Certify({name, &key}, {"somebody else", &key}, false, 0x1000);
  fields.inner_algorithm = AlgorithmIdentifier("1.2.643.7.1.1.3.2");
  fields.outer_algorithm = fields.inner_algorithm;
  return fields.Der();
}

// Stands for modprobe: says that it is there, by opening the FIFO beside the script that names it
// as interpreter, and waits until the other end is closed.
KASSAY_HELPER(WaitAsModprobe) {
  if (args.empty()) return 1;
  const UniqueFd gate(open((args[0] + ".gate").c_str(), O_RDONLY | O_CLOEXEC));
  char byte = 0;
  return gate.IsOpen() && read(gate.Get(), &byte, 1) == 0 ? 0 : 1;
}

// An addition that is under way from the constructor to Finish().
class AdditionUnderWay {
 public:
  AdditionUnderWay(const std::string& script, const std::string& certificate, Serial ring)
      : modprobe_("kernel/modprobe", script) {
    const std::string gate = script + ".gate";
    if (!modprobe_.Ok() || mkfifo(gate.c_str(), 0600) != 0) return;
    {
      const UniqueFd file(open(script.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
      const std::string text = "#!/proc/" + std::to_string(getpid()) + "/exe " +
                               std::string(kHelperOption) + "WaitAsModprobe\n";
      if (write(file.Get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return;
    }
    adding_ = std::jthread([this, certificate, ring] {
      added_ = AddCertificate(certificate, ring);
      over_ = true;
    });
    // ENXIO: nobody has opened it for reading, so modprobe has not been started.
    while (!gate_.IsOpen() && !over_) {
      gate_.Reset(open(gate.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  AdditionUnderWay(const AdditionUnderWay&) = delete;
  AdditionUnderWay& operator=(const AdditionUnderWay&) = delete;
  ~AdditionUnderWay() { Finish(); }
  [[nodiscard]] bool IsUnderWay() const { return gate_.IsOpen() && !over_; }
  // 0 if the key came in, or the negative errno of add_key(2).
  long Finish() {
    modprobe_.Set("/nonexistent");
    gate_.Reset();
    if (adding_.joinable()) adding_.join();
    return added_ > 0 ? 0 : added_;
  }

 private:
  ScopedSysctl modprobe_;
  UniqueFd gate_;
  std::atomic<bool> over_ = false;
  Serial added_ = 0;
  std::jthread adding_;
};

KASSAY_CASE_F(SignerKeyring, AnAdditionUnderWayIsKeptOutBySealing, Cites("FSV-052")) {
  // The same addition gets in where nothing is sealed meanwhile.
  const Serial open_ring = NewKeyring("open");
  AdditionUnderWay allowed(Path("allowed"), NeedsAModule("allowed"), open_ring);
  if (!allowed.IsUnderWay()) KASSAY_UNMET("the kernel asked for no module while it added a key");
  EXPECT_EQ(allowed.Finish(), 0);
  EXPECT_EQ(CountOf(open_ring), 1);

  AdditionUnderWay late(Path("late"), NeedsAModule("late"), ring_);
  ASSERT_TRUE(late.IsUnderWay());
  ASSERT_EQ(keyctl_restrict_keyring(ring_, nullptr, nullptr), 0);
  ASSERT_TRUE(late.IsUnderWay());
  EXPECT_THAT(late.Finish(), IsErrno(EPERM)) << "it came in after the keyring was sealed";
  EXPECT_EQ(CountOf(ring_), 0);
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
