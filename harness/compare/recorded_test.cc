// The recorded baselines beside each other: between two kernels exactly those requirements change
// that the kernel changed. A change that is not in these lists is news: look at it, find its reason
// in the kernel, and only then add it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <set>

#include "harness/base/file.h"
#include "harness/compare/baseline_files.h"
#include "harness/compare/compare.h"

namespace kassay {
namespace {

using ::testing::ContainerEq;
using ::testing::IsEmpty;

using Requirements = std::set<std::string>;

// Between 7.0.13 and 7.2.12; the stable releases that brought it are in the catalogues' errata.
const Requirements kFixedFirst = {
    "CTX-105",                                   // locks in per-CPU variables
    "DMV-008", "FSV-052",                        // a key that races with sealing
    "DMV-055",                                   // a table kept its loader's keyring
    "FSV-067",                                   // bpf_get_fsverity_digest cut the digest
    "IOU-041", "IOU-042",                        // disabled rings and inherited lists
    "IOU-051",                                   // lists and filters lost over execve
    "LLK-073",                                   // signals by file ownership left the scope
    "MNT-100", "MNT-101", "MNT-102", "MNT-138",  // covered mounts, internal superblocks
    "MNT-141", "MNT-145",                        // nullfs: locks, access times
    "MNT-210", "MNT-211", "MNT-212"};            // internal types, unbindable mounts
const Requirements kNewFirst = {
    "CTX-102",                                           // rt_mutex is tracked
    "IOU-094", "IOU-101", "IOU-144", "IOU-155",          // data of CONNECT; QUERY's limit
    "MNT-200", "MNT-201", "MNT-202", "MNT-213",          // FSMOUNT_NAMESPACE
    "MNT-203", "MNT-204", "MNT-214",                     // empty mount namespaces
    "MNT-206"};                                          // MOVE_MOUNT_BENEATH below a root
const Requirements kOtherFirst = {"HRD-001", "HRD-003",  // /proc/PID/mem asks for a tracer
                                  "HRD-100",             // options that came, went or were renamed
                                  "IOU-071", "IOU-143",  // what QUERY and a strict size tell
                                  "LLK-001", "LLK-002",
                                  "LLK-005", "LLK-007"};  // Landlock's ABI and what it knows
const Requirements kBroken = {"PQC-090"};  // PKEY_VERIFY ignores the signature's length

// Between 7.2.12 and 7.3.4.
const Requirements kFixedThen = {
    "CTX-103",                                   // rcu_access_pointer()
    "FSV-005", "FSV-034", "FSV-065",             // statx, hashes by request, early telling
    "IOU-043",                                   // lists and calls without a ring
    "IOU-098",                                   // a socket's type without its flags
    "IOU-119", "IOU-122", "IOU-123",             // whom later filters reach
    "MNT-167", "MNT-174", "MNT-193", "MNT-216",  // statmount, cursors, /proc/PID/net
    "SEL-014", "SEL-015", "SEL-022",             // prog_load, of tracing programs too
    "SEL-034", "SEL-035"};                       // the grantor is the token's
const Requirements kNewThen = {
    "HRD-010", "HRD-011",                        // two new switches
    "LLK-069", "LLK-070", "LLK-072",             // LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS
    "MNT-142", "MNT-207", "MNT-208", "MNT-209",  // nullfs, kernel threads, covers, failfs
    "SEL-067"};                                  // attributes on bpffs
const Requirements kOtherThen = {"FSV-049",      // the error for a descriptor too small
                                 "HRD-100", "LLK-001"};

Requirements Both(const Requirements& a, const Requirements& b) {
  Requirements both = a;
  both.insert(b.begin(), b.end());
  return both;
}

std::filesystem::path Recorded(const std::string& version) {
  return std::filesystem::path(KASSAY_BASELINES) /
         fmt::format("debian-{0}+deb13-cloud-amd64-{0}-1~bpo13+1", version);
}

// Every change is in one of these lists, and every requirement of theirs changed.
struct Changes {
  Requirements regressed, fixed, now_hold, other_evidence;
};
void ExpectBetween(const std::string& before, const std::string& after, const Changes& expected) {
  const auto a = LoadBaseline(Recorded(before));
  ASSERT_TRUE(a) << a.error().message;
  const auto b = LoadBaseline(Recorded(after));
  ASSERT_TRUE(b) << b.error().message;
  const Comparison comparison = Compare(*a, *b);
  EXPECT_THAT(comparison.differences, IsEmpty()) << "not only the kernel differs";
  std::map<Change, Requirements> seen;
  for (const CaseChange& c : comparison.cases) {
    seen[c.change].insert(c.Either().requirements.begin(), c.Either().requirements.end());
  }
  EXPECT_THAT(seen[Change::kRegressed], ContainerEq(expected.regressed));
  EXPECT_THAT(seen[Change::kFixed], ContainerEq(expected.fixed));
  EXPECT_THAT(seen[Change::kNowHolds], ContainerEq(expected.now_hold));
  EXPECT_THAT(seen[Change::kChangedEvidence], ContainerEq(expected.other_evidence));
  EXPECT_EQ(seen.size(), 4U) << "changes of another kind";
}

TEST(RecordedChanges, From7_0_13To7_2_12) {
  ExpectBetween("7.0.13", "7.2.12", {kBroken, kFixedFirst, kNewFirst, kOtherFirst});
}

TEST(RecordedChanges, From7_2_12To7_3_4) {
  ExpectBetween("7.2.12", "7.3.4", {{}, kFixedThen, kNewThen, kOtherThen});
}

TEST(RecordedChanges, From7_0_13To7_3_4) {
  ExpectBetween("7.0.13", "7.3.4",
                {kBroken, Both(kFixedFirst, kFixedThen), Both(kNewFirst, kNewThen),
                 Both(kOtherFirst, kOtherThen)});
}

// A kernel is accused only of what the kernel's own history explains: a correct kernel with another
// configuration, the minimal reference above all, is not a wrong one.
TEST(RecordedKernels, FailByKnownBugsAlone) {
  std::set<std::string> specs;
  for (const auto& entry : std::filesystem::directory_iterator(KASSAY_BASELINES)) {
    const auto baseline = LoadBaseline(entry.path());
    ASSERT_TRUE(baseline) << baseline.error().message;
    specs.insert(baseline->kernel.spec);
    for (const BaselineCase& c : baseline->cases) {
      EXPECT_FALSE(IsNonconformant(c.verdict) && c.erratum.empty())
          << baseline->kernel.spec << ": " << c.id << ": " << c.reason;
    }
  }
  EXPECT_TRUE(specs.contains("reference:7.0")) << "not recorded";
  EXPECT_TRUE(specs.contains("reference:7.0/minimal")) << "not recorded";
}

// What is recorded anew differs only where something changed.
TEST(RecordedKernels, AreAsTheyAreWritten) {
  for (const auto& folder : std::filesystem::directory_iterator(KASSAY_BASELINES)) {
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
      const auto baseline = LoadBaseline(file.path());
      ASSERT_TRUE(baseline) << baseline.error().message;
      EXPECT_EQ(BaselineName(baseline->kernel), folder.path().filename());
      EXPECT_TRUE(ToJson(*baseline) == ReadFile(file.path()).value()) << file.path();
      ASSERT_EQ(BySuite(*baseline).size(), 1U) << file.path();
      EXPECT_EQ(ToJson(BySuite(*baseline)[0]), ToJson(*baseline)) << file.path();
    }
  }
}

}  // namespace
}  // namespace kassay
