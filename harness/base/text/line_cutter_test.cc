#include "harness/base/text/line_cutter.h"

#include <gmock/gmock.h>

#include <vector>

namespace kassay {
namespace {

using ::testing::ElementsAre;

TEST(LineCutter, GivesWholeLinesHoweverTheyArrive) {
  std::vector<std::string> lines;
  LineCutter cutter(100, [&](std::string line) { lines.push_back(std::move(line)); });
  cutter.Add("on");
  cutter.Add("e\n\ntwo\nthr");
  EXPECT_THAT(lines, ElementsAre("one", "", "two"));
  cutter.Finish();
  cutter.Finish();
  EXPECT_THAT(lines, ElementsAre("one", "", "two", "thr"));
}

TEST(LineCutter, CutsALongLineAndGoesOnWithTheNext) {
  std::vector<std::string> lines;
  LineCutter cutter(3, [&](std::string line) { lines.push_back(std::move(line)); });
  cutter.Add("abc\nabcdef\nx\n");
  EXPECT_THAT(lines, ElementsAre("abc", "abc", "x"));
}

}  // namespace
}  // namespace kassay
