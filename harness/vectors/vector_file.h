// ML-DSA verification vectors of other people, in the formats that the field publishes:
//
//   NIST ACVP, ML-DSA sigVer: a prompt file (with or without verdicts of its own) and a file of
//     expected results, matched by vector set, test group and case
//   Wycheproof, mldsa_44/65/87_verify
//   kassay's own (fixtures/README.md)
//
// The files are not trusted: sizes are bounded, every field is checked, and the place is named.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

// Bounds on what is read.
inline constexpr std::size_t kMaxVectorFileBytes = std::size_t{256} << 20;
inline constexpr std::size_t kMaxVectors = 100000;
inline constexpr std::size_t kMaxVectorFieldBytes = std::size_t{4} << 20;

// Where a vector stands in ACVP's files: the verdict lies in another file, at the same place.
struct AcvpPlace {
  long vector_set = 0;
  long group = 0;
  long test = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the default's 0 for a pointer
  auto operator<=>(const AcvpPlace&) const = default;
};

struct SignatureVector {
  std::string id;   // "tg1/tc5" within its file
  std::string set;  // "ML-DSA-44", "ML-DSA-65" or "ML-DSA-87"
  std::string public_key;
  std::string message;
  std::string signature;
  std::optional<bool> valid;  // the published verdict; none without a results file
  std::string uncarried;      // why no door of the kernel can carry it; empty if one may
  std::optional<AcvpPlace> acvp;
};

struct VectorFile {
  std::vector<SignatureVector> vectors;
  std::map<AcvpPlace, bool> results;  // of an ACVP file of expected results
};

// Fails on what is none of the formats, with the place of the first problem.
[[nodiscard]] Result<VectorFile> ParseVectorFile(std::string_view json);

// Gives the verdicts of results files to the prompts' vectors, by their place, and returns how many
// vectors have none.
[[nodiscard]] std::size_t ApplyResults(std::vector<SignatureVector>& vectors,
                                       const std::map<AcvpPlace, bool>& results);

}  // namespace kassay
