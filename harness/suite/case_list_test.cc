#include "harness/suite/case_list.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "harness/base/file.h"

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kList = R"({"suite":"ring","features":["f"],"cases":[
 {"case":"Ring.Denies","requirements":["R-1"],"detection":false,"timeout_s":30,"profile":"",
  "expects_panic":"","allows_taint":"OE","file":"suites/ring/ring.cc","line":12},
 {"case":"All/Ring.Has/one","requirements":["R-1","R-2"],"detection":true,"timeout_s":5,
  "profile":"other","expects_panic":"verity.*corrupt","file":"suites/ring/ring.cc","line":20}]})";

TEST(CaseList, IsReadWhole) {
  const auto list = ParseCaseList(kList);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->suite, "ring");
  EXPECT_THAT(list->features, ElementsAre("f"));
  ASSERT_EQ(list->cases.size(), 2U);
  EXPECT_EQ(list->cases[0].allows_taint, "OE");
  EXPECT_EQ(list->cases[1].allows_taint, "");
  const ListedCase& second = list->cases[1];
  EXPECT_EQ(second.name, "All/Ring.Has/one");
  EXPECT_TRUE(second.detection);
  EXPECT_EQ(second.profile, "other");
}

TEST(CaseList, RefusesWhatTheFormatDoesNotAllow) {
  const auto with = [](const std::string& old_text, const std::string& new_text) {
    std::string json = kList;
    json.replace(json.find(old_text), old_text.size(), new_text);
    const auto list = ParseCaseList(json);
    return list ? std::string("accepted") : list.error().message;
  };
  EXPECT_EQ(with("Ring.Denies", "Ring.*"), "not a case list: /cases/0/case is not a case's name");
  EXPECT_THAT(with("Ring.Denies", std::string(300, 'x') + ".y"), HasSubstr("not a case's name"));
  EXPECT_THAT(with("All/Ring.Has/one", "Ring.Denies"), HasSubstr("Ring.Denies twice"));
  EXPECT_THAT(with(":30,", ":0,"), HasSubstr("/cases/0/timeout_s is not within"));
  EXPECT_THAT(with("[\"R-1\"]", "[]"), HasSubstr("/cases/0/requirements is empty"));
  EXPECT_THAT(with("verity.*", "(("), HasSubstr("no regular expression"));
  EXPECT_THAT(with("\"other\"", "\"../x\""), HasSubstr("not a profile's name"));
  EXPECT_THAT(with("\"line\":20", "\"line\":\"20\""), HasSubstr("/cases/1/line"));
  EXPECT_FALSE(ParseCaseList("{}"));
  EXPECT_FALSE(ParseCaseList(""));
}

class ListingProgram : public ::testing::Test {
 protected:
  std::filesystem::path Script(const std::string& body) {
    const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / "ring";
    EXPECT_TRUE(WriteFileAtomically(path, "#!/bin/sh\n" + body));
    EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
    return path;
  }
};

TEST_F(ListingProgram, IsRun) {
  const auto list = ListCases(Script("cat <<'END'\n" + std::string(kList) + "\nEND\n"));
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->cases.size(), 2U);
}

TEST_F(ListingProgram, IsAskedOnceWhileItIsTheSameFile) {
  const std::filesystem::path cache = std::filesystem::path(::testing::TempDir()) / "lists";
  std::filesystem::remove_all(cache);
  const std::string good = "cat <<'END'\n" + std::string(kList) + "\nEND\n";
  const auto program = Script("test -e $0.asked && exit 1; touch $0.asked; " + good);
  std::filesystem::remove(program.string() + ".asked");
  ASSERT_TRUE(ListCases(program, cache));
  EXPECT_TRUE(ListCases(program, cache)) << "asked again";
  EXPECT_FALSE(ListCases(program));
  // Another file in its place is asked; a damaged cache is passed over.
  Script(good + "# changed\n");
  EXPECT_TRUE(ListCases(program, cache));
  for (const auto& entry : std::filesystem::directory_iterator(cache))
    ASSERT_TRUE(WriteFileAtomically(entry.path(), "{"));
  EXPECT_TRUE(ListCases(program, cache));
}

TEST_F(ListingProgram, ThatFailsIsQuoted) {
  const auto list = ListCases(Script("echo 'Ring.X cites no requirement' >&2; exit 1\n"));
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().message,
              HasSubstr("ring --kassay_list ended with exit code 1: Ring.X cites no requirement"));
}

TEST_F(ListingProgram, OfAnotherNameIsRefused) {
  const auto list = ListCases(Script("echo '{\"suite\":\"x\",\"features\":[],\"cases\":[]}'\n"));
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().message, HasSubstr("says that it is the suite 'x'"));
}

}  // namespace
}  // namespace kassay
