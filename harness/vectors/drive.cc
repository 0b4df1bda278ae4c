#include "harness/vectors/drive.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/file.h"
#include "harness/base/text/hex.h"
#include "harness/base/text/json_reader.h"
#include "harness/protocol/guest_layout.h"
#include "harness/protocol/suite_program.h"
#include "harness/protocol/vector_records.h"

namespace kassay {
namespace {

// One program's worth: well under the bound on records.
constexpr std::size_t kBatch = 200;

// What the guest reads: one vector a line, those that no door carries left out.
std::string GuestFile(const std::vector<SignatureVector>& vectors) {
  std::string lines;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const SignatureVector& vector = vectors[i];
    if (!vector.uncarried.empty()) continue;
    lines += fmt::format("{} {} {} {} {}\n", i, vector.set, ToHex(vector.public_key),
                         vector.message.empty() ? kNoBytes : ToHex(vector.message),
                         vector.signature.empty() ? kNoBytes : ToHex(vector.signature));
  }
  return lines;
}

// What the guest says of a vector. It is not trusted.
struct Said {
  std::size_t index = 0;
  std::string door;
  std::string result;
  std::string verdict;
};
Result<Said> ParseRecord(const std::string& line) {
  KASSAY_TRY(const Json json, ParseJson(line));
  std::string problem;
  JsonReader reader(json, "", problem);
  Said said;
  reader.Get("vector", said.index);
  reader.Get("door", said.door);
  reader.Get("result", said.result);
  reader.Get("verdict", said.verdict);
  if (said.door.size() > 64 || said.result.size() > 200) reader.Complain("", "is too long");
  if (!problem.empty()) return Fail("the guest's record " + problem);
  return said;
}

class Driver {
 public:
  Driver(const std::vector<SignatureVector>& vectors, const DriveOptions& options)
      : vectors_(vectors), options_(options), answers_(vectors.size()) {}

  Status Run(Guest& guest, const std::string& program) {
    std::vector<std::size_t> carried;
    for (std::size_t i = 0; i < vectors_.size(); ++i) {
      if (vectors_[i].uncarried.empty()) carried.push_back(i);
    }
    for (std::size_t at = 0; at < carried.size() && !stopped_; at += kBatch) {
      const std::size_t count = std::min(kBatch, carried.size() - at);
      GuestCommand command;
      command.argv = {program, std::string(kHelperOption) + kVectorsHelper,
                      fmt::format("{}/{}", kGuestPreparedDir, kVectorsFile), std::to_string(at),
                      std::to_string(count)};
      command.limit = std::chrono::seconds(60 + 2 * static_cast<int>(count));
      command.log_name = fmt::format("vectors {} to {}", at, at + count);
      KASSAY_TRY(const GuestOutcome outcome, guest.Run(command, {}));
      KASSAY_CHECK(Take(outcome, {carried.begin() + static_cast<std::ptrdiff_t>(at),
                                  carried.begin() + static_cast<std::ptrdiff_t>(at + count)}));
    }
    if (!stopped_) Answer(vectors_.size());
    return {};
  }
  std::vector<VectorAnswer> TakeAnswers() { return std::move(answers_); }

 private:
  Status Take(const GuestOutcome& outcome, const std::vector<std::size_t>& expected) {
    for (std::size_t i = 0; i < expected.size() && !stopped_; ++i) {
      const std::size_t index = expected[i];
      if (i >= outcome.records.size()) {
        return Fail(
            fmt::format("the kernel gave no answer to vector {}: {}", vectors_[index].id,
                        outcome.detail.empty() ? "its program ended early" : outcome.detail));
      }
      KASSAY_TRY(const Said said, ParseRecord(outcome.records[i]));
      if (said.index != index) return Fail("the guest's answers are out of order");
      if (said.verdict == kVectorDisabled) {
        return Fail(fmt::format("this kernel does not verify {}: {} says {}", vectors_[index].set,
                                said.door, said.result));
      }
      Answer(index);
      Judge(index, said);
    }
    return {};
  }

  // Answers what no door carries and comes before `index`.
  void Answer(std::size_t index) {
    for (; next_ < index; ++next_) {
      answers_[next_].kind = VectorAnswer::Kind::kUncarried;
      answers_[next_].reason = vectors_[next_].uncarried;
      Tell(next_);
    }
  }

  void Judge(std::size_t index, const Said& said) {
    VectorAnswer& answer = answers_[index];
    answer.door = said.door;
    answer.result = said.result;
    answer.valid = said.verdict == kVectorValid;
    if (said.verdict == kVectorUncarried) {
      answer.kind = VectorAnswer::Kind::kUncarried;
      answer.reason = said.result;
    } else if (!vectors_[index].valid) {
      answer.kind = VectorAnswer::Kind::kUnpublished;
    } else {
      const bool agrees = *vectors_[index].valid == answer.valid;
      answer.kind = agrees ? VectorAnswer::Kind::kAgrees : VectorAnswer::Kind::kDisagrees;
      stopped_ = !agrees && !options_.keep_going;
    }
    next_ = index + 1;
    Tell(index);
  }
  void Tell(std::size_t index) const {
    if (options_.on_answer) options_.on_answer(index, answers_[index]);
  }

  const std::vector<SignatureVector>& vectors_;
  const DriveOptions& options_;
  std::vector<VectorAnswer> answers_;
  std::size_t next_ = 0;
  bool stopped_ = false;
};

}  // namespace

Status WriteGuestVectors(const std::vector<SignatureVector>& vectors,
                         const std::filesystem::path& folder) {
  return WriteFileAtomically(folder / kVectorsFile, GuestFile(vectors));
}

Result<std::vector<VectorAnswer>> DriveVectors(Lab& lab,
                                               const std::vector<SignatureVector>& vectors,
                                               const DriveOptions& options) {
  KASSAY_CHECK(lab.Ready({kVectorsProfile}));
  KASSAY_TRY(const std::unique_ptr<Guest> guest, lab.Fresh(kVectorsProfile, options.note));
  Driver driver(vectors, options);
  KASSAY_CHECK(driver.Run(*guest, lab.SuitePath(kVectorsProfile, kVectorsSuite)));
  return driver.TakeAnswers();
}

}  // namespace kassay
