// Vectors through a guest that a test makes up.
#include "harness/vectors/drive.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness/base/file.h"

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = VectorAnswer::Kind;

// Answers each request with the records that the test wrote down.
class FakeLab : public Lab {
 public:
  std::vector<std::string> records;
  std::vector<GuestCommand> commands;
  std::optional<Error> not_ready;

  Status Ready(const std::set<std::string>& profiles) const override {
    EXPECT_THAT(profiles, ElementsAre("trust"));
    return not_ready ? Status(Fail(*not_ready)) : Status();
  }
  Result<std::unique_ptr<Guest>> Fresh(const std::string&, const NoteSink&) override {
    return std::make_unique<FakeGuest>(*this);
  }
  std::string SuitePath(const std::string&, const std::string& suite) const override {
    return "/somewhere/" + suite;
  }
  std::map<std::string, TargetFacts> Facts() const override { return {}; }

 private:
  struct FakeGuest : Guest {
    explicit FakeGuest(FakeLab& owner) : lab(owner) {}
    Result<GuestOutcome> Run(const GuestCommand& command,
                             const std::function<void(const std::string&)>&) override {
      lab.commands.push_back(command);
      GuestOutcome outcome;
      outcome.end = GuestOutcome::End::kExited;
      outcome.records = lab.records;
      return outcome;
    }
    FakeLab& lab;
  };
};

std::string Said(int vector, const std::string& verdict) {
  return fmt::format(R"({{"vector":{},"door":"pkey_verify","result":"0","verdict":"{}"}})", vector,
                     verdict);
}

class DriveTest : public ::testing::Test {
 protected:
  DriveTest() {
    for (int i = 0; i < 3; ++i) {
      SignatureVector& vector = vectors_.emplace_back();
      vector.id = fmt::format("tc{}", i);
      vector.set = "ML-DSA-44";
      vector.public_key = "\x01\xab";
      vector.valid = true;
    }
    vectors_[1].uncarried = "a context";
  }
  std::vector<Kind> Kinds() {
    const auto answers = DriveVectors(lab_, vectors_, options_);
    EXPECT_TRUE(answers) << answers.error().message;
    std::vector<Kind> kinds;
    for (const VectorAnswer& answer : answers.value_or(std::vector<VectorAnswer>()))
      kinds.push_back(answer.kind);
    return kinds;
  }

  FakeLab lab_;
  std::vector<SignatureVector> vectors_;
  DriveOptions options_;
};

TEST_F(DriveTest, TheLabsSuiteIsAskedAboutWhatCanBeCarried) {
  lab_.records = {Said(0, "valid"), Said(2, "valid")};
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kAgrees, Kind::kUncarried, Kind::kAgrees));
  ASSERT_EQ(lab_.commands.size(), 1U);
  EXPECT_THAT(lab_.commands[0].argv, ElementsAre("/somewhere/mldsa", "--kassay_helper=Vectors",
                                                 "/kassay/prepared/vectors.txt", "0", "2"));
}

TEST_F(DriveTest, StopsAtADisagreementUnlessToldToGoOn) {
  lab_.records = {Said(0, "invalid"), Said(2, "valid")};
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kDisagrees, Kind::kNotReached, Kind::kNotReached));
  options_.keep_going = true;
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kDisagrees, Kind::kUncarried, Kind::kAgrees));
}

TEST_F(DriveTest, AGuestThatFallsSilentOrMixesThingsUpIsAnError) {
  lab_.records = {Said(0, "valid")};
  EXPECT_THAT(DriveVectors(lab_, vectors_, options_).error().message,
              HasSubstr("no answer to vector tc2"));
  lab_.records = {Said(2, "valid"), Said(0, "valid")};
  EXPECT_THAT(DriveVectors(lab_, vectors_, options_).error().message, HasSubstr("out of order"));
}

TEST_F(DriveTest, AKernelThatCannotBootSoIsNotAsked) {
  lab_.not_ready = Error{"is a vmlinux", ErrorKind::kUsage};
  EXPECT_EQ(DriveVectors(lab_, vectors_, options_).error().kind, ErrorKind::kUsage);
  EXPECT_TRUE(lab_.commands.empty());
}

TEST_F(DriveTest, TheGuestsFileHoldsWhatCanBeCarried) {
  const std::filesystem::path folder = ::testing::TempDir() + "/drive-files";
  ASSERT_TRUE(WriteGuestVectors(vectors_, folder));
  EXPECT_EQ(ReadFile(folder / "vectors.txt").value(),
            "0 ML-DSA-44 01ab - -\n2 ML-DSA-44 01ab - -\n");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace kassay
