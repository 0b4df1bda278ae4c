// ML-DSA verification vectors of other people, in the formats that the field publishes:
//
//   NIST ACVP, ML-DSA sigVer: a prompt file (with or without verdicts of its own) and a file of
//     expected results, matched by test group and case
//   Wycheproof, mldsa_44/65/87_verify
//   kassay's own (fixtures/README.md)
//
// The files are not trusted: sizes are bounded, every field is checked, and the place is named.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

// Bounds on what is read.
inline constexpr std::size_t kMaxVectorFileBytes = std::size_t{256} << 20;
inline constexpr std::size_t kMaxVectors = 100000;
inline constexpr std::size_t kMaxVectorFieldBytes = std::size_t{4} << 20;

struct SignatureVector {
  std::string id;   // "tg1/tc5" within its file
  std::string set;  // "ML-DSA-44", "ML-DSA-65" or "ML-DSA-87"
  std::string public_key;
  std::string message;
  std::string signature;
  std::optional<bool> valid;  // the published verdict; none without a results file
  std::string uncarried;      // why no door of the kernel can carry it; empty if one may
};

enum class VectorFormat { kAcvpPrompt, kAcvpResults, kWycheproof, kOwn };

struct VectorFile {
  VectorFormat format = VectorFormat::kOwn;
  std::vector<SignatureVector> vectors;
  // kAcvpResults: verdicts by test group and case.
  std::map<std::pair<long, long>, bool> results;
};

// Fails on what is none of the formats, with the place of the first problem.
[[nodiscard]] Result<VectorFile> ParseVectorFile(std::string_view json);

// Gives the verdicts of results files to the prompts' vectors, by test group and case, and returns
// how many vectors have none.
[[nodiscard]] std::size_t ApplyResults(std::vector<SignatureVector>& vectors,
                                       const std::map<std::pair<long, long>, bool>& results);

}  // namespace kassay
