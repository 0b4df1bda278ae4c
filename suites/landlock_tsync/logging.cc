// Which denials are recorded, and how the log flags travel. Source: landlock_log_denial in
// security/landlock/audit.c (log.c from 7.3), the flags in landlock_restrict_self. Only access
// records (1423) and the allocation of a domain are counted: deallocations come late, from a
// worker. Every silent case has a positive control beside it.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suites/landlock_tsync/sibling.h"
#include "suites/support/audit_log.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/helper.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::Eq;
using ::testing::Optional;
using ::testing::SizeIs;

int TryRead(const char* path) {
  const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  return fd.IsOpen() ? 0 : -errno;
}
long Enforce(std::uint64_t fs, std::uint32_t flags) {
  return RestrictSelf(Ruleset(fs).Get(), flags);
}

class Logging : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!log_.Works()) KASSAY_UNMET(log_.Error());
  }
  // Runs `body(sibling)` in a child; it returns whether the calls succeeded. The sibling then tries
  // to read once. The access records of all that.
  template <typename Body>
  std::vector<AuditRecord> DenialsAfter(Body body) {
    const auto discarded = log_.Take();
    const auto seen = InChild([&] {
      Sibling sibling;
      return body(sibling) && sibling.Do([&] { return TryRead(scratch_.File()); }) == -EACCES;
    });
    EXPECT_THAT(seen, Returned(Eq(true))) << "the sibling was not denied";
    all_ = log_.Take();
    EXPECT_TRUE(log_.Works()) << log_.Error();
    return OfType(all_, kAuditLandlockAccess);
  }

  Scratch scratch_;
  AuditLog log_;
  std::vector<AuditRecord> all_;
};

KASSAY_CASE_F(Logging, DenialOfASiblingIsRecordedOnceWithItsDomain, Cites("LLK-053")) {
  const auto denials =
      DenialsAfter([](Sibling&) { return Enforce(kFsReadFile | kFsExecute, kTsync) == 0; });
  ASSERT_THAT(denials, SizeIs(1));
  const AuditRecord& denial = denials[0];
  EXPECT_THAT(denial.Field("blockers"), Optional(Eq("fs.read_file")));
  EXPECT_THAT(denial.Field("path"), Optional(Eq(scratch_.File())));
  ASSERT_TRUE(denial.Field("domain"));
  EXPECT_THAT(*denial.Field("domain"), ::testing::Not(::testing::AnyOf("", "0")));
  std::vector<AuditRecord> allocated;
  for (const AuditRecord& record : OfType(all_, kAuditLandlockDomain))
    if (record.Field("status") == "allocated") allocated.push_back(record);
  ASSERT_THAT(allocated, SizeIs(1));
  EXPECT_THAT(allocated[0].Field("domain"), Eq(denial.Field("domain")));
  EXPECT_THAT(allocated[0].Field("mode"), Optional(Eq("enforcing")));
  EXPECT_THAT(allocated[0].Field("uid"), Optional(Eq("0")));
}

KASSAY_CASE_F(Logging, DomainIsTheSameForAllThreadsAndIntroducedOnce, Cites("LLK-053")) {
  const auto denials = DenialsAfter([&](Sibling& sibling) {
    const bool enforced = Enforce(kFsReadFile, kTsync) == 0;
    const int own = TryRead(scratch_.File());
    return enforced && own == -EACCES &&
           sibling.Do([&] { return TryRead(scratch_.File()); }) == -EACCES;
  });
  ASSERT_THAT(denials, SizeIs(3));
  EXPECT_THAT(denials[1].Field("domain"), Eq(denials[0].Field("domain")));
  EXPECT_THAT(denials[2].Field("domain"), Eq(denials[0].Field("domain")));
  int allocated = 0;
  for (const AuditRecord& record : OfType(all_, kAuditLandlockDomain))
    allocated += record.Field("status") == "allocated" ? 1 : 0;
  EXPECT_THAT(allocated, Eq(1));
}

// A sibling that shares no credentials with the caller gets the marks for the log like the others;
// and so does every layer.
KASSAY_CASE_F(Logging, DenialOfASiblingWithItsOwnCredentialsIsRecordedToo, Cites("LLK-053")) {
  const auto of_its_own = [](Sibling& sibling) {
    return sibling.Do([] { return syscall(SYS_setresgid, 7, 7, 7); }) == 0;
  };
  EXPECT_THAT(DenialsAfter([&](Sibling& sibling) {
                return of_its_own(sibling) && Enforce(kFsReadFile, kTsync) == 0;
              }),
              SizeIs(1));
  EXPECT_THAT(DenialsAfter([&](Sibling& sibling) {
                return of_its_own(sibling) && Enforce(kFsWriteFile, kTsync) == 0 &&
                       Enforce(kFsReadFile, kTsync) == 0;
              }),
              SizeIs(1));
  EXPECT_THAT(DenialsAfter([&](Sibling& sibling) {
                return of_its_own(sibling) && Enforce(kFsReadFile, kLogSameExecOff | kTsync) == 0;
              }),
              SizeIs(0));
}

KASSAY_CASE_F(Logging, SameExecOffSpreads, Cites("LLK-054")) {
  EXPECT_THAT(DenialsAfter([](Sibling&) { return Enforce(kFsReadFile, kTsync) == 0; }), SizeIs(1));
  EXPECT_THAT(
      DenialsAfter([](Sibling&) { return Enforce(kFsReadFile, kTsync | kLogSameExecOff) == 0; }),
      SizeIs(0));
  // With NEW_EXEC_ON beside it the domain is not muted as a whole, but this program still is.
  EXPECT_THAT(DenialsAfter([](Sibling&) {
                return Enforce(kFsReadFile, kTsync | kLogSameExecOff | kLogNewExecOn) == 0;
              }),
              SizeIs(0));
}

KASSAY_CASE_F(Logging, MutingSpreadWithoutARulesetSilencesLaterDomains, Cites("LLK-057")) {
  const auto own_domain = [](Sibling& sibling) {
    return sibling.Do([] { return Enforce(kFsReadFile, 0); }) == 0;
  };
  EXPECT_THAT(DenialsAfter(own_domain), SizeIs(1));
  EXPECT_THAT(DenialsAfter([&](Sibling& sibling) {
                return RestrictSelf(-1, kLogSubdomainsOff | kTsync) == 0 && own_domain(sibling);
              }),
              SizeIs(0));
}

KASSAY_CASE_F(Logging, MutingWithoutTsyncDoesNotReachSiblings, Cites("LLK-058")) {
  EXPECT_THAT(DenialsAfter([](Sibling& sibling) {
                return RestrictSelf(-1, kLogSubdomainsOff) == 0 &&
                       sibling.Do([] { return Enforce(kFsReadFile, 0); }) == 0;
              }),
              SizeIs(1));
  EXPECT_THAT(DenialsAfter([](Sibling& sibling) {
                return sibling.Do([] {
                  return RestrictSelf(-1, kLogSubdomainsOff) == 0 && Enforce(kFsReadFile, 0) == 0;
                });
              }),
              SizeIs(0));
}

KASSAY_CASE_F(Logging, MutedSubdomainsDoNotMuteTheirOwnDomain, Cites("LLK-059")) {
  EXPECT_THAT(
      DenialsAfter([](Sibling&) { return Enforce(kFsReadFile, kLogSubdomainsOff | kTsync) == 0; }),
      SizeIs(1));
  // But the ones that siblings nest in it.
  EXPECT_THAT(DenialsAfter([](Sibling& sibling) {
                return Enforce(kFsWriteFile, kLogSubdomainsOff | kTsync) == 0 &&
                       sibling.Do([] { return Enforce(kFsReadFile, 0); }) == 0;
              }),
              SizeIs(0));
}

KASSAY_CASE_F(Logging, SiblingsOwnMutingIsReplacedByTheCallersState, Cites("LLK-060")) {
  const auto muted = [](Sibling& sibling) {
    return sibling.Do([] { return RestrictSelf(-1, kLogSubdomainsOff); }) == 0;
  };
  const auto own_domain = [](Sibling& sibling) {
    return sibling.Do([] { return Enforce(kFsReadFile, 0); }) == 0;
  };
  EXPECT_THAT(DenialsAfter([&](Sibling& sibling) {
                return muted(sibling) && Enforce(kFsWriteFile, 0) == 0 && own_domain(sibling);
              }),
              SizeIs(0));
  EXPECT_THAT(DenialsAfter([&](Sibling& sibling) {
                return muted(sibling) && Enforce(kFsWriteFile, kTsync) == 0 && own_domain(sibling);
              }),
              SizeIs(1));
}

KASSAY_CASE_F(Logging, MutingWithoutADomainSurvivesFork, Cites("LLK-061")) {
  const auto denials_of_child = [&](std::uint32_t mute) {
    const auto discarded = log_.Take();
    const auto seen = InChild([&] {
      if (mute != 0 && RestrictSelf(-1, mute) != 0) return false;
      const auto child = InChild(
          [&] { return Enforce(kFsReadFile, 0) == 0 && TryRead(scratch_.File()) == -EACCES; });
      return child.value == true;
    });
    EXPECT_THAT(seen, Returned(Eq(true)));
    return OfType(log_.Take(), kAuditLandlockAccess);
  };
  EXPECT_THAT(denials_of_child(0), SizeIs(1));
  EXPECT_THAT(denials_of_child(kLogSubdomainsOff), SizeIs(0));
  EXPECT_THAT(denials_of_child(kLogSubdomainsOff | kTsync), SizeIs(0));
}

// Says what it may read; started by a sibling.
KASSAY_HELPER(TryToRead) {
  const int result = args.empty() ? 0 : TryRead(args[0].c_str());
  return result == -EACCES ? 42 : 1;
}

// READ_FILE also gates execve and the libraries of the program, so only the scratch folder is shut
// off: everything else gets a rule.
UniqueFd RulesetForExec() {
  UniqueFd ruleset = Ruleset(kFsWriteFile | kFsReadFile);
  for (const char* open_folder :
       {"/bin", "/lib", "/lib64", "/usr", "/kassay", "/proc", "/prog", "/dev", "/etc"}) {
    const UniqueFd folder(open(open_folder, O_PATH | O_CLOEXEC));
    const PathBeneathAttr attr{kFsReadFile, folder.Get()};
    if (folder.IsOpen()) AddRule(ruleset.Get(), kRulePathBeneath, &attr);
  }
  // The suite itself, wherever it lies.
  const UniqueFd self(open("/proc/self/exe", O_PATH | O_CLOEXEC));
  const PathBeneathAttr attr{kFsReadFile, self.Get()};
  AddRule(ruleset.Get(), kRulePathBeneath, &attr);
  return ruleset;
}

KASSAY_CASE_F(Logging, ProgramsThatSiblingsExecuteAreSilentUnlessAskedFor,
              Cites("LLK-055", "LLK-056")) {
  const auto denials_of_program = [&](std::uint32_t flags) {
    const auto discarded = log_.Take();
    const auto seen = InChild([&] {
      Sibling sibling;
      const UniqueFd ruleset = RulesetForExec();
      if (RestrictSelf(ruleset.Get(), flags | kTsync) != 0) return -1;
      return sibling.Do([&] {
        const pid_t child = fork();
        if (child == 0) _exit(ExecHelper("TryToRead", {scratch_.File()}));
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
      });
    });
    EXPECT_THAT(seen, Returned(Eq(42))) << "the program did not start, or was not denied";
    std::vector<AuditRecord> matching;
    for (const AuditRecord& record : OfType(log_.Take(), kAuditLandlockAccess))
      if (record.Field("path") == scratch_.File()) matching.push_back(record);
    return matching;
  };
  EXPECT_THAT(denials_of_program(0), SizeIs(0));
  EXPECT_THAT(denials_of_program(kLogNewExecOn), SizeIs(1));
  EXPECT_THAT(denials_of_program(kLogNewExecOn | kLogSameExecOff), SizeIs(1));
}

}  // namespace
}  // namespace kassay::landlock
