// Vectors through a kernel: the guest side is a helper mode of the suite mldsa
// (suites/mldsa/vectors.cc), which wraps each public key into a certificate and takes the first of
// the kernel's doors that can carry the message.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"
#include "harness/vectors/vector_file.h"
#include "harness/vm/machine.h"

namespace kassay {

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
  VmOptions vm;
  std::filesystem::path profiles_dir;
  std::filesystem::path cache_dir;
  bool keep_going = false;  // past the first disagreement
  // Each answer as it comes, in the vectors' order.
  std::function<void(std::size_t, const VectorAnswer&)> on_answer;
};

// One answer for each vector. An Error means that nothing was said: the kernel does not boot, has
// no ML-DSA, or died on the way (the message names the vector).
[[nodiscard]] Result<std::vector<VectorAnswer>> DriveVectors(
    const Kernel& kernel, const std::vector<SignatureVector>& vectors, const DriveOptions& options);

}  // namespace kassay
