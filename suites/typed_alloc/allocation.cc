// What the allocator does when the helpers are called in the kernel under test.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "suites/support/case.h"
#include "suites/typed_alloc/prepared_module.h"

namespace kassay::typed_alloc {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// A case that loads a module of ours, which comes from outside the tree and is unsigned
// (Documentation/admin-guide/tainted-kernels.rst: O and E).
template <typename... Ids>
CaseInfo OfOurModule(Ids... ids) {
  return Cites(ids...).AllowsTaint("OE");
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// What is the same in every run: without the traces of expected warnings (the kernel's log has
// them) and without what the module counted.
std::string Steady(const std::vector<std::string>& lines) {
  std::string text;
  bool in_trace = false;
  for (const std::string& line : lines) {
    if (line.find("[ cut here ]") != std::string::npos) in_trace = true;
    if (!in_trace && !line.starts_with('#')) text += line + "\n";
    if (line.find("[ end trace") != std::string::npos) in_trace = false;
  }
  return text;
}
std::string Counted(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    if (line.starts_with('#')) text += line + "\n";
  return text;
}

class Allocation : public ::testing::Test {
 protected:
  // The module's own verdict on one test; its lines become evidence, its counts measures.
  void Holds(const std::string& test, Builder builder = Builder::kGcc) {
    if (const std::string problem = WhyNotPrepared(builder); !problem.empty())
      KASSAY_UNMET(problem);
    report_ = RunInKernel(builder, test);
    RecordEvidence("module", Steady(report_.lines));
    if (const std::string counted = Counted(report_.lines); !counted.empty())
      RecordMeasure("counted by the module", counted);
    ASSERT_EQ(report_.load_errno, 0) << strerror(report_.load_errno) << "\n"
                                     << Joined(report_.lines);
    if (report_.result == "skip")
      KASSAY_UNMET("freed memory is cleared on this kernel: zeroing cannot be told");
    EXPECT_EQ(report_.result, "ok") << Joined(report_.lines);
  }
  [[nodiscard]] const ModuleReport& report() const { return report_; }

 private:
  ModuleReport report_;
};

KASSAY_CASE_F(Allocation, GivesMemoryOfTheTypesSize, OfOurModule("ALC-001", "ALC-003")) {
  Holds("gives_memory");
}
KASSAY_CASE_F(Allocation, ZeroesObjectsInSlotsThatHeldAPattern, OfOurModule("ALC-004")) {
  Holds("zeroes_objects");
}
KASSAY_CASE_F(Allocation, ZeroesArraysAndFlexibleArrays, OfOurModule("ALC-004")) {
  Holds("zeroes_arrays");
}
KASSAY_CASE_F(Allocation, ZeroesWhatComesFromVmalloc, OfOurModule("ALC-005")) {
  Holds("zeroes_vmalloc");
}
KASSAY_CASE_F(Allocation, RefusesACountWhoseSizeOverflows, OfOurModule("ALC-006")) {
  Holds("refuses_overflow_k");
}
KASSAY_CASE_F(Allocation, RefusesItInTheVmallocFormsToo, OfOurModule("ALC-007")) {
  Holds("refuses_overflow_kv");
}
KASSAY_CASE_F(Allocation, RefusesANegativeCount, OfOurModule("ALC-010")) {
  Holds("refuses_negative");
}
KASSAY_CASE_F(Allocation, ACountOfZeroIsNoFailure, OfOurModule("ALC-011")) { Holds("zero_count"); }
KASSAY_CASE_F(Allocation, RefusesAFlexibleArrayWhoseSizeOverflows, OfOurModule("ALC-012")) {
  Holds("refuses_flex_overflow");
}
KASSAY_CASE_F(Allocation, RefusesACountThatTheCounterCannotHold, OfOurModule("ALC-013")) {
  Holds("refuses_counter_overflow", Builder::kClang);
}
KASSAY_CASE_F(Allocation, SetsTheCounterOfACountedArray, OfOurModule("ALC-014")) {
  Holds("sets_counter", Builder::kClang);
}
KASSAY_CASE_F(Allocation, LeavesTheCounterAloneWithoutCountedBy, OfOurModule("ALC-015")) {
  Holds("leaves_counter", Builder::kGcc);
}
KASSAY_CASE_F(Allocation, WritesNoMemberThatIsNoCounter, OfOurModule("ALC-016")) {
  Holds("writes_no_bare_counter", Builder::kClang);
}
KASSAY_CASE_F(Allocation, RoundsSizesToTheirCache, OfOurModule("ALC-018")) {
  Holds("rounds_sizes");
}
KASSAY_CASE_F(Allocation, KeepsTheLimitsOfTheHeader, OfOurModule("ALC-019")) {
  Holds("keeps_limits");
}
KASSAY_CASE_F(Allocation, FallsBackToVmallocAboveTheLimit, OfOurModule("ALC-020")) {
  Holds("falls_back_to_vmalloc");
}
KASSAY_CASE_F(Allocation, WarnsOfAHugeCountUnlessToldNotTo, Cites("ALC-008").AllowsTaint("OEW")) {
  Holds("warns_kv");
  EXPECT_THAT(report().lines, Contains(HasSubstr("__kvmalloc_node_noprof")));
}
KASSAY_CASE_F(Allocation, WarnsOfAHugeCountInThePageAllocator,
              Cites("ALC-009").AllowsTaint("OEW")) {
  Holds("warns_k");
  EXPECT_THAT(report().lines, Contains(HasSubstr("__alloc_frozen_pages_noprof")));
}

KASSAY_CASE(Taint, AForeignUnsignedModuleIsMarked, OfOurModule("ALC-038")) {
  if (const std::string problem = WhyNotPrepared(Builder::kGcc); !problem.empty())
    KASSAY_UNMET(problem);
  std::ifstream before_file("/proc/sys/kernel/tainted");
  unsigned long before = 0;
  before_file >> before;
  ASSERT_EQ(RunInKernel(Builder::kGcc, "keeps_limits").load_errno, 0);
  std::ifstream after_file("/proc/sys/kernel/tainted");
  unsigned long after = 0;
  after_file >> after;
  constexpr unsigned long kOutOfTree = 1UL << 12;  // TAINT_OOT_MODULE
  constexpr unsigned long kUnsigned = 1UL << 13;   // TAINT_UNSIGNED_MODULE
  EXPECT_EQ(after, before | kOutOfTree | kUnsigned);
}

std::string SlabInfo() {
  std::ifstream file("/proc/slabinfo");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

KASSAY_CASE(Caches, UserControlledSizesHaveTheirOwn, Cites("ALC-032")) {
  const std::string slabs = SlabInfo();
  ASSERT_FALSE(slabs.empty()) << "/proc/slabinfo cannot be read";
  if (slabs.find("\nmsg_msg-") == std::string::npos &&
      slabs.find("\nmemdup_user-") == std::string::npos) {
    KASSAY_ABSENT("no bucket caches: CONFIG_SLAB_BUCKETS is off");
  }
  for (const char* size :
       {"8", "16", "32", "64", "96", "128", "192", "256", "512", "1k", "2k", "4k", "8k"}) {
    EXPECT_THAT(slabs, HasSubstr(std::string("\nmemdup_user-") + size + " "));
    EXPECT_THAT(slabs, HasSubstr(std::string("\nmsg_msg-") + size + " "));
  }
}

KASSAY_CASE(Caches, PartitionsShowOnlyInFullSets, Cites("ALC-033")) {
  const std::string slabs = SlabInfo();
  ASSERT_FALSE(slabs.empty()) << "/proc/slabinfo cannot be read";
  const auto sets = [&](const std::string& prefix) {
    int count = 0;
    for (int i = 1; i <= 15; ++i) {
      const std::string name = "\n" + prefix + (i < 10 ? "0" : "") + std::to_string(i) + "-";
      count += slabs.find(name) != std::string::npos ? 1 : 0;
    }
    return count;
  };
  const int named = sets("kmalloc-rnd-") + sets("kmalloc-part-");
  RecordEvidence("partition sets", std::to_string(named));
  EXPECT_TRUE(named == 0 || named == 15) << named;
}

KASSAY_CASE(Caches, SlabInfoIsForRootAlone, Cites("ALC-037")) {
  struct stat status {};
  ASSERT_EQ(stat("/proc/slabinfo", &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0400U);
  EXPECT_EQ(status.st_uid, 0U);
}

}  // namespace
}  // namespace kassay::typed_alloc
