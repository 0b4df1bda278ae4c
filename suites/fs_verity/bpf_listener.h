// Programs of the BPF security module (Documentation/bpf/prog_lsm.rst): what it is told about
// verity files, and what it can ask. A program is attached as long as the object lives.
#pragma once

#include <linux/bpf.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"

namespace kassay::verity {

// Why no program can be attached here, or empty.
[[nodiscard]] std::string WhyNoBpfModule();

// Counts the calls of the hook inode_setintegrity, by which modules hear of a verified signature.
class SignatureCounter {
 public:
  [[nodiscard]] static Result<SignatureCounter> Attach();
  [[nodiscard]] std::uint64_t Calls() const;

 private:
  SignatureCounter(UniqueFd map, UniqueFd program, UniqueFd link)
      : map_(std::move(map)), program_(std::move(program)), link_(std::move(link)) {}
  UniqueFd map_;
  UniqueFd program_;
  UniqueFd link_;
};

// What bpf_get_fsverity_digest() did with a buffer of some size, called on the hook file_open.
struct BpfDigest {
  std::int64_t result = 0;  // 0 or a negative errno
  // The buffer, of kBpfRoom bytes all of which were 0x5a before.
  std::array<unsigned char, 128> buffer{};
};
inline constexpr std::size_t kBpfRoom = 128;
// Opens `path` once with a program that asks for its digest with `size` bytes of the buffer.
[[nodiscard]] Result<BpfDigest> AskOnOpen(const std::string& path, std::uint32_t size);

}  // namespace kassay::verity
