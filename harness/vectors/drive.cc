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

class Driver {
 public:
  Driver(const std::vector<SignatureVector>& vectors, const DriveOptions& options)
      : answers(vectors.size()), vectors_(vectors), options_(options) {}

  std::vector<VectorAnswer> answers;

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
      for (std::size_t i = 0; i < count && !stopped_; ++i) {
        const std::size_t index = carried[at + i];
        if (i >= outcome.records.size()) {
          return Fail(
              fmt::format("the kernel gave no answer to vector {}: {}", vectors_[index].id,
                          outcome.detail.empty() ? "its program ended early" : outcome.detail));
        }
        KASSAY_CHECK(Take(index, outcome.records[i]));
      }
    }
    if (!stopped_) AnswerUncarried(vectors_.size());
    return {};
  }

 private:
  // What the guest says of a vector. It is not trusted.
  Status Take(std::size_t index, const std::string& record) {
    KASSAY_TRY(const Json json, ParseJson(record));
    std::string problem;
    JsonReader reader(json, "", problem);
    std::size_t said = 0;
    std::string verdict;
    VectorAnswer answer;
    reader.Get("vector", said);
    reader.Get("door", answer.door);
    reader.Get("result", answer.result);
    reader.Get("verdict", verdict);
    if (answer.door.size() > 64 || answer.result.size() > 200) reader.Complain("", "is too long");
    if (!problem.empty()) return Fail("the guest's record " + problem);
    if (said != index) return Fail("the guest's answers are out of order");
    if (verdict == kVectorDisabled) {
      return Fail(fmt::format("this kernel does not verify {}: {} says {}", vectors_[index].set,
                              answer.door, answer.result));
    }
    AnswerUncarried(index);
    answer.valid = verdict == kVectorValid;
    if (verdict == kVectorUncarried) {
      answer.kind = VectorAnswer::Kind::kUncarried;
      answer.reason = answer.result;
    } else if (!vectors_[index].valid) {
      answer.kind = VectorAnswer::Kind::kUnpublished;
    } else {
      const bool agrees = *vectors_[index].valid == answer.valid;
      answer.kind = agrees ? VectorAnswer::Kind::kAgrees : VectorAnswer::Kind::kDisagrees;
      stopped_ = !agrees && !options_.keep_going;
    }
    Answer(std::move(answer));
    return {};
  }

  // Answers what no door carries and comes before `index`.
  void AnswerUncarried(std::size_t index) {
    while (next_ < index) {
      Answer({.kind = VectorAnswer::Kind::kUncarried, .reason = vectors_[next_].uncarried});
    }
  }

  // Of the next vector.
  void Answer(VectorAnswer answer) {
    answers[next_] = std::move(answer);
    if (options_.on_answer) options_.on_answer(next_, answers[next_]);
    ++next_;
  }

  const std::vector<SignatureVector>& vectors_;
  const DriveOptions& options_;
  std::size_t next_ = 0;
  bool stopped_ = false;
};

}  // namespace

Status WriteGuestVectors(const std::vector<SignatureVector>& vectors,
                         const std::filesystem::path& folder) {
  std::string lines;  // one vector a line, those that no door carries left out
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const SignatureVector& vector = vectors[i];
    if (!vector.uncarried.empty()) continue;
    lines += fmt::format("{} {} {} {} {}\n", i, vector.set, ToHex(vector.public_key),
                         vector.message.empty() ? kNoBytes : ToHex(vector.message),
                         vector.signature.empty() ? kNoBytes : ToHex(vector.signature));
  }
  return WriteFileAtomically(folder / kVectorsFile, lines);
}

Result<std::vector<VectorAnswer>> DriveVectors(Lab& lab,
                                               const std::vector<SignatureVector>& vectors,
                                               const DriveOptions& options) {
  KASSAY_CHECK(lab.Ready({kVectorsProfile}));
  KASSAY_TRY(const std::unique_ptr<Guest> guest, lab.Fresh(kVectorsProfile, options.note));
  Driver driver(vectors, options);
  KASSAY_CHECK(driver.Run(*guest, lab.SuitePath(kVectorsProfile, kVectorsSuite)));
  return std::move(driver.answers);
}

}  // namespace kassay
