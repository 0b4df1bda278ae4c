// Damage that parity repairs, and damage that it does not.
#include "suites/dm_verity/fec.h"
#include "suites/dm_verity/unreadable.h"

namespace kassay::verity {
namespace {

class Fec : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_VERITY();
    verity_ = std::make_unique<Verity>(kPlain);
    parity_ = std::make_unique<BlockDevice>(ParityFor(2));
  }
  [[nodiscard]] VerityTable Table() const {
    return WithParity(verity_->Table(), *parity_, {.roots = "2"});
  }
  void ExpectStatus(const Activation& activation, const std::string& status,
                    const std::string& what) const {
    EXPECT_EQ(activation.device.Status(), Told(status)) << what;
  }
  // While a leaf is being corrected, the data below it is looked up through that same leaf, which
  // is told as corruption (fec_read_bufs calls verity_hash_for_block): the letter may be either.
  void ExpectCount(const Activation& activation, int corrected, const std::string& what) const {
    EXPECT_EQ(activation.device.Status().substr(1),
              Told("? " + std::to_string(corrected)).substr(1))
        << what;
  }
  std::unique_ptr<Verity> verity_;
  std::unique_ptr<BlockDevice> parity_;
};

KASSAY_CASE_F(Fec, UndamagedNothingIsCorrected, Cites("DMV-080").Timeout(60)) {
  const Activation activation = Activate(Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectStatus(activation, "V 0", "loaded");
  EXPECT_EQ(activation.device.Table(), Table().Parameters());
  const ReadBack read = ReadDirect(activation.device.Path(), 0, verity_->image.data.size());
  EXPECT_TRUE(read.bytes == verity_->image.data);
  ExpectStatus(activation, "V 0", "all read");
}

KASSAY_CASE_F(Fec, ADamagedBlockIsCorrectedAndCounted, Cites("DMV-080").Timeout(60)) {
  verity_->data.Invert(10 * 4096 + 100);
  verity_->data.Invert(11 * 4096 + 100);
  const Activation activation = Activate(Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity_->image, 9, "undamaged");
  ExpectStatus(activation, "V 0", "undamaged");
  ExpectReads(activation.device, verity_->image, 10, "damaged");
  ExpectStatus(activation, "V 1", "one corrected");
  ExpectReads(activation.device, verity_->image, 11, "damaged, in the other group");
  ExpectStatus(activation, "V 2", "two corrected");
  ExpectReads(activation.device, verity_->image, 10, "read again");
  ExpectStatus(activation, "V 3", "corrected again: the medium is as damaged as before");
}

// However many bytes of a block are wrong, it is one block.
KASSAY_CASE_F(Fec, TheCountIsOfBlocks, Cites("DMV-090", "DMV-091").Timeout(90)) {
  // Three blocks of a group are damaged in the same places: eight roots are enough.
  parity_ = std::make_unique<BlockDevice>(ParityFor(8));
  verity_->data.Invert(0);
  verity_->data.Invert(33 * 4096 + 17, 15);
  verity_->data.Invert(34 * 4096, 2000);
  verity_->data.Invert(101 * 4096 + 16, 4064);
  verity_->data.Invert(255 * 4096 + 4095);
  for (const unsigned at : {0U, 15U, 16U, 31U, 2048U, 4095U}) verity_->data.Invert(160 * 4096 + at);
  const Activation activation = Activate(WithParity(verity_->Table(), *parity_, {.roots = "8"}));
  ASSERT_THAT(activation.error, IsErrno(0));
  int corrected = 0;
  for (const std::uint64_t block : {0, 33, 34, 101, 160, 255}) {
    ExpectReads(activation.device, verity_->image, block, "damaged");
    ExpectStatus(activation, "V " + std::to_string(++corrected), "block " + std::to_string(block));
  }
}

KASSAY_CASE_F(Fec, AllOfALongReadIsCorrected, Cites("DMV-080", "DMV-090").Timeout(60)) {
  verity_->data.Invert(64 * 4096 + 5);
  verity_->data.Invert(67 * 4096 + 6);
  verity_->data.Invert(79 * 4096 + 7);
  const Activation activation = Activate(Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  const ReadBack read = ReadDirect(activation.device.Path(), 64 * 4096, 16 * 4096);
  EXPECT_EQ(read.result, 16 * 4096);
  EXPECT_TRUE(read.bytes == verity_->image.data.substr(64 * 4096, 16 * 4096));
  ExpectStatus(activation, "V 3", "three of sixteen");
}

KASSAY_CASE_F(Fec, ADamagedBlockOfTheTreeIsCorrected, Cites("DMV-087").Timeout(90)) {
  verity_->DamageTree(0, 1, 7);
  {
    const Activation activation = Activate(Table());
    ASSERT_THAT(activation.error, IsErrno(0));
    ExpectReads(activation.device, verity_->image, 5, "below the other leaf");
    ExpectStatus(activation, "V 0", "below the other leaf");
    ExpectReads(activation.device, verity_->image, 135, "the child of the damaged digest");
    ExpectCount(activation, 1, "the leaf is corrected");
    RecordEvidence("status after a corrected leaf", activation.device.Status());
    ExpectReads(activation.device, verity_->image, 200, "another child");
    ExpectCount(activation, 1, "the corrected leaf stays in the cache");
  }
  verity_->DamageTree(0, 1, 7);   // mended
  verity_->hash.Invert(0, 4096);  // the top, all of it
  const Activation activation = Activate(Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity_->image, 5, "the top is damaged");
  ExpectCount(activation, 1, "the top is corrected");
}

KASSAY_CASE_F(Fec, CorrectsInASoftirqsStead, Cites("DMV-072", "DMV-087").Timeout(90)) {
  verity_->DamageTree(0, 0, 3);
  verity_->DamageData(200);
  const Activation activation = Activate(Table().With({"try_verify_in_tasklet"}));
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity_->image, 1, "below a damaged leaf");
  ExpectCount(activation, 1, "the leaf");
  ExpectReads(activation.device, verity_->image, 200, "damaged");
  ExpectCount(activation, 2, "leaf and data");
}

KASSAY_CASE_F(Fec, WhatCannotBeReadIsCorrected, Cites("DMV-088").Timeout(60)) {
  const auto data = UnreadableBlock(verity_->data, 40);
  ASSERT_TRUE(data) << data.error().message;
  VerityTable table = verity_->Table();
  table.data_device = data->MajorMinor();
  const Activation activation = Activate(WithParity(table, *parity_, {.roots = "2"}));
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity_->image, 40, "an error of reading");
  ExpectStatus(activation, "V 1", "corrected");
  ExpectReads(activation.device, verity_->image, 41, "its neighbour");
  ExpectStatus(activation, "V 1", "its neighbour");
}

KASSAY_CASE_F(Fec, TooMuchDamageIsCorruption, Cites("DMV-086", "DMV-089", "DMV-090").Timeout(60)) {
  for (const std::uint64_t block : {2, 4, 6}) verity_->data.Invert(block * 4096, 4096);
  const Activation activation = Activate(Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity_->image, 8, "undamaged, in the same group");
  ExpectStatus(activation, "V 0", "undamaged");
  ExpectUnreadable(activation.device, verity_->image, 4, "one of three, for two roots");
  ExpectStatus(activation, "C 0", "not corrected");
  ExpectReads(activation.device, verity_->image, 8, "undamaged, afterwards");
}

// Damage of more than two blocks, none of them in the same place, is one error a codeword.
KASSAY_CASE_F(Fec, DamageInManyBlocksIsCorrectedWhereItDoesNotMeet, Cites("DMV-086").Timeout(120)) {
  for (std::uint64_t block = 0; block < 256; ++block)
    verity_->data.Invert(block * 4096 + block * 16);
  const Activation activation = Activate(Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  int corrected = 0;
  for (const std::uint64_t block : {0, 1, 2, 127, 128, 129, 254, 255}) {
    ExpectReads(activation.device, verity_->image, block, "every block has a bad byte");
    ExpectStatus(activation, "V " + std::to_string(++corrected), "block " + std::to_string(block));
  }
}

KASSAY_CASE_F(Fec, DamagedParityHarmsNoGoodData, Cites("DMV-089", "DMV-090").Timeout(60)) {
  parity_->Invert(0, 4 * 4096);
  verity_->DamageData(77);
  const Activation activation = Activate(Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity_->image, 76, "undamaged");
  ExpectStatus(activation, "V 0", "undamaged");
  ExpectUnreadable(activation.device, verity_->image, 77, "damaged, and its parity as well");
  ExpectStatus(activation, "C 0", "neither right data nor right parity");
}

// Parity of other data corrects into other data, which the digest tells.
KASSAY_CASE_F(Fec, CorrectedIsOnlyWhatHasTheDigest, Cites("DMV-089").Timeout(60)) {
  VerityTable table = Table();
  // Data and tree are as they were, and the root is another's: nothing can be corrected to it.
  table.root[5] = table.root[5] == '0' ? '1' : '0';
  const Activation activation = Activate(table);
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectUnreadable(activation.device, verity_->image, 0, "another root");
  ExpectStatus(activation, "C 0", "another root");
}

// The parity of a codeword is so many bytes, one codeword behind the other: where the number of
// roots is no divisor of the block size, some lie in two blocks. These are the bytes that are
// damaged, for all would take long to correct under emulation.
void DamageWhereParityMeetsBlocks(BlockDevice& data, std::uint64_t block, unsigned roots) {
  constexpr std::uint64_t kReach = 8;
  for (unsigned meeting = 0; meeting <= roots; ++meeting) {
    const std::uint64_t at = std::uint64_t{4096} * meeting / roots;
    const std::uint64_t begin = at < kReach ? 0 : at - kReach;
    data.Invert(block * 4096 + begin, std::min<std::uint64_t>(at + kReach, 4096) - begin);
  }
}

// As many damaged blocks as there are roots, then one more; and the other group by itself.
class FecRoots : public testing::TestWithParam<unsigned> {};

void ExpectRootsToCorrect(unsigned roots) {
  const std::string what = std::to_string(roots) + " roots";
  Verity verity(kPlain);
  const BlockDevice parity = ParityFor(roots);
  const VerityTable table = WithParity(verity.Table(), parity, {.roots = std::to_string(roots)});
  const auto damaged = [](unsigned i) { return std::uint64_t{i} * 10; };
  for (unsigned i = 0; i < roots; ++i) DamageWhereParityMeetsBlocks(verity.data, damaged(i), roots);
  DamageWhereParityMeetsBlocks(verity.data, 13, roots);
  {
    const Activation activation = Activate(table);
    ASSERT_THAT(activation.error, IsErrno(0)) << what;
    ExpectReads(activation.device, verity.image, damaged(roots - 1), what + ", even");
    EXPECT_EQ(activation.device.Status(), Told("V 1")) << what;
    ExpectReads(activation.device, verity.image, 13, what + ", odd");
    EXPECT_EQ(activation.device.Status(), Told("V 2")) << what;
  }
  DamageWhereParityMeetsBlocks(verity.data, damaged(roots), roots);
  const Activation activation = Activate(table);
  ASSERT_THAT(activation.error, IsErrno(0)) << what;
  ExpectUnreadable(activation.device, verity.image, damaged(roots - 1), what + ", one too many");
  EXPECT_EQ(activation.device.Status(), Told("C 0")) << what;
  ExpectReads(activation.device, verity.image, 13, what + ", odd, one too many elsewhere");
}

KASSAY_CASE_P(FecRoots, CorrectAsManyBlocks, Cites("DMV-083", "DMV-086", "DMV-090").Timeout(300)) {
  REQUIRE_VERITY();
  for (unsigned roots = GetParam(); roots < GetParam() + 4 && roots <= kMostRoots; ++roots)
    ExpectRootsToCorrect(roots);
}

INSTANTIATE_TEST_SUITE_P(, FecRoots, testing::Values(2U, 6U, 10U, 14U, 18U, 22U),
                         [](const testing::TestParamInfo<unsigned>& tested) {
                           return "From" + std::to_string(tested.param);
                         });

}  // namespace
}  // namespace kassay::verity
