// Vectors through a kernel: the guest side is a helper mode of the suite mldsa
// (suites/mldsa/vectors.cc), which wraps each public key into a certificate and takes the first of
// the kernel's doors that can carry the message.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/target/lab.h"
#include "harness/vectors/vector_file.h"

namespace kassay {

inline constexpr const char* kVectorsProfile = "trust";  // what the guest has to be

struct VectorAnswer {
  enum class Kind {
    kAgrees,
    kDisagrees,
    kUncarried,    // no door can carry it: `reason`
    kUnpublished,  // the kernel answered, nobody published a verdict
    kNotReached,   // after the first disagreement
  };
  Kind kind = Kind::kNotReached;
  bool valid = false;  // what the kernel said
  std::string door;    // "pkey_verify", "pkcs7_test", "finit_module"
  std::string result;  // what it returned, by name: "0", "EKEYREJECTED"
  std::string reason;
};

struct DriveOptions {
  NoteSink note;
  bool keep_going = false;  // past the first disagreement
  // Each answer as it comes, in the vectors' order.
  std::function<void(std::size_t, const VectorAnswer&)> on_answer;
};

// Leaves in `folder` (made if needed) what the guest reads. The lab's guests must hold the folder's
// files, and kVectorsSuite (protocol/vector_records.h).
[[nodiscard]] Status WriteGuestVectors(const std::vector<SignatureVector>& vectors,
                                       const std::filesystem::path& folder);

// One answer for each vector, by one guest of `lab`. An Error means that nothing was said: the
// kernel does not boot, has no ML-DSA, or died on the way (the message names the vector).
[[nodiscard]] Result<std::vector<VectorAnswer>> DriveVectors(
    Lab& lab, const std::vector<SignatureVector>& vectors, const DriveOptions& options);

}  // namespace kassay
