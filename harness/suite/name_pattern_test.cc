#include "harness/suite/name_pattern.h"

#include <gtest/gtest.h>

namespace kassay {
namespace {

TEST(Glob, MatchesStarsAndQuestionMarks) {
  EXPECT_TRUE(GlobMatches("TaskFilter.*", "TaskFilter.IsInherited"));
  EXPECT_TRUE(GlobMatches("TaskFilter.*", "TaskFilter."));
  EXPECT_FALSE(GlobMatches("TaskFilter.*", "TaskFilters.IsInherited"));
  EXPECT_TRUE(GlobMatches("*a*b", "xaxbxab"));
  EXPECT_FALSE(GlobMatches("*a*b", "xaxbxa"));
  EXPECT_TRUE(GlobMatches("?b", "ab"));
  EXPECT_FALSE(GlobMatches("?b", "b"));
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_FALSE(GlobMatches("", "a"));
  EXPECT_TRUE(GlobMatches("***", ""));
  EXPECT_FALSE(GlobMatches("A.B", "A.BC"));
}

TEST(Glob, StaysFastOnHostilePatterns) {
  std::string glob;
  for (int i = 0; i < 200; ++i) glob += "*a";
  EXPECT_FALSE(GlobMatches(glob + "b", std::string(2000, 'a')));
}

TEST(NameFilter, PositiveAndNegativeParts) {
  const NameFilter filter("Ring.*:Task.*-*Slow:Ring.Race");
  EXPECT_TRUE(filter.MatchesCase("s", "Ring.Denies"));
  EXPECT_TRUE(filter.MatchesCase("s", "Task.Denies"));
  EXPECT_FALSE(filter.MatchesCase("s", "Ring.Race"));
  EXPECT_FALSE(filter.MatchesCase("s", "Task.IsSlow"));
  EXPECT_FALSE(filter.MatchesCase("s", "Detection.Fails"));
}

TEST(NameFilter, OnlyANegativePartWantsTheRest) {
  const NameFilter filter("-Ring.*");
  EXPECT_FALSE(filter.MatchesCase("s", "Ring.Denies"));
  EXPECT_TRUE(filter.MatchesCase("s", "Task.Denies"));
  EXPECT_TRUE(NameFilter().MatchesCase("s", "anything"));
  EXPECT_TRUE(NameFilter().Empty());
}

TEST(NameFilter, SeveralFiltersAreJoined) {
  NameFilter filter("Ring.*");
  filter.Add("Task.*-Task.B");
  EXPECT_TRUE(filter.MatchesCase("s", "Ring.A"));
  EXPECT_TRUE(filter.MatchesCase("s", "Task.A"));
  EXPECT_FALSE(filter.MatchesCase("s", "Task.B"));
}

TEST(NameFilter, ItsTextIsTheSameFilter) {
  NameFilter filter("Ring.*-Ring.B");
  filter.Add("Task.*");
  EXPECT_EQ(filter.Text(), "Ring.*:Task.*-Ring.B");
  const NameFilter again(filter.Text());
  EXPECT_TRUE(again.MatchesCase("s", "Task.A"));
  EXPECT_FALSE(again.MatchesCase("s", "Ring.B"));
  EXPECT_EQ(NameFilter("-Ring.*").Text(), "-Ring.*");
  EXPECT_EQ(NameFilter().Text(), "");
}

TEST(NameFilter, KnowsACaseWithAndWithoutItsSuite) {
  const NameFilter filter("io_uring.Ring.*");
  EXPECT_TRUE(filter.MatchesCase("io_uring", "Ring.A"));
  EXPECT_FALSE(filter.MatchesCase("mount", "Ring.A"));
  EXPECT_TRUE(NameFilter("Ring.A").MatchesCase("mount", "Ring.A"));
}

}  // namespace
}  // namespace kassay
