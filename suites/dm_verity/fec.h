// kPlain with its parity. 256 blocks of data and 3 of the tree: whatever the number of roots, they
// are coded in two groups, the even and the odd blocks, and each byte of a block belongs to another
// codeword (drivers/md/dm-verity-fec.c:fec_interleave).
#pragma once

#include "suites/dm_verity/verity.h"

namespace kassay::verity {

inline constexpr std::uint64_t kFecBlocks = 259;

struct FecWords {
  std::string roots;
  std::string blocks = std::to_string(kFecBlocks);
  std::string start = "0";
};

[[nodiscard]] inline VerityTable WithParity(const VerityTable& table, const BlockDevice& parity,
                                            const FecWords& words) {
  return table.With({"use_fec_from_device", parity.MajorMinor(), "fec_blocks", words.blocks,
                     "fec_start", words.start, "fec_roots", words.roots});
}

[[nodiscard]] inline BlockDevice ParityFor(unsigned roots) {
  return OrDie(BlockDevice::With(LoadParity(roots)));
}

}  // namespace kassay::verity
