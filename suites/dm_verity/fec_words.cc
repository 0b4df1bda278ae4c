// The words of error correction in a table, and the sizes of the devices that they name.

#include "suites/dm_verity/fec.h"
#include "suites/support/kernel_config.h"

namespace kassay::verity {
namespace {

class FecTable : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_VERITY();
    verity_ = std::make_unique<Verity>(kPlain);
    parity_ = std::make_unique<BlockDevice>(ParityFor(2));
  }
  void ExpectRefusedWith(const FecWords& words, int error, const std::string& what) const {
    ExpectRefused(WithParity(verity_->Table(), *parity_, words), error, what);
  }
  void ExpectGoodWith(const FecWords& words, const std::string& what) const {
    ExpectGood(verity_->image, WithParity(verity_->Table(), *parity_, words), what);
  }
  std::unique_ptr<Verity> verity_;
  std::unique_ptr<BlockDevice> parity_;
};

KASSAY_CASE_F(FecTable, TheBlocksCoverDataAndTree, Cites("DMV-081").Timeout(60)) {
  ExpectRefusedWith({.roots = "2", .blocks = "258"}, EINVAL, "one too few");
  ExpectRefusedWith({.roots = "2", .blocks = "256"}, EINVAL, "the data alone");
  ExpectRefusedWith({.roots = "2", .blocks = "100"}, EINVAL, "less than the data");
  ExpectRefusedWith({.roots = "2", .blocks = "0"}, EINVAL, "none");
  ExpectRefusedWith({.roots = "2", .blocks = "259x"}, EINVAL, "no number");
  ExpectGoodWith({.roots = "2"}, "all of it");
}

KASSAY_CASE_F(FecTable, TheBlocksAreOnTheTreesDevice, Cites("DMV-082").Timeout(60)) {
  ExpectRefusedWith({.roots = "2", .blocks = "260"}, E2BIG, "one too many");
  ExpectRefusedWith({.roots = "2", .blocks = "99999"}, E2BIG, "many too many");
  // What follows the tree may be covered as well, if it is there: up to the device's end.
  const auto longer = BlockDevice::With(verity_->image.tree + std::string(4096, '\0'));
  ASSERT_TRUE(longer);
  VerityTable table = verity_->Table();
  table.hash_device = longer->MajorMinor();
  ExpectGood(verity_->image, WithParity(table, *parity_, {.roots = "2", .blocks = "260"}),
             "one block behind the tree");
  ExpectRefused(WithParity(table, *parity_, {.roots = "2", .blocks = "261"}), E2BIG,
                "two blocks behind the tree, one is there");
}

// The same with the tree behind a superblock: its start counts.
KASSAY_CASE_F(FecTable, TheTreesStartCounts, Cites("DMV-082").Timeout(60)) {
  const auto behind = BlockDevice::With(std::string(4096, 's') + verity_->image.tree);
  ASSERT_TRUE(behind);
  VerityTable table = verity_->Table();
  table.hash_device = behind->MajorMinor();
  table.hash_start = "1";
  ExpectGood(verity_->image, WithParity(table, *parity_, {.roots = "2"}), "exact");
  ExpectRefused(WithParity(table, *parity_, {.roots = "2", .blocks = "260"}), E2BIG,
                "one too many");
}

KASSAY_CASE_F(FecTable, TheRootsAreFrom2To24, Cites("DMV-083").Timeout(60)) {
  for (const char* roots : {"0", "1", "25", "255", "-2", "2x", "two"})
    ExpectRefusedWith({.roots = roots}, EINVAL, std::string(roots) + " roots");
  ExpectGoodWith({.roots = "2"}, "2 roots");
  parity_ = std::make_unique<BlockDevice>(ParityFor(24));
  ExpectGoodWith({.roots = "24"}, "24 roots");
}

KASSAY_CASE_F(FecTable, EveryWordIsNeededOnce, Cites("DMV-083").Timeout(60)) {
  const std::string device = parity_->MajorMinor();
  const VerityTable table = verity_->Table();
  ExpectRefused(table.With({"use_fec_from_device", device, "fec_blocks", "259"}), EINVAL,
                "no roots");
  ExpectRefused(table.With({"use_fec_from_device", device, "fec_roots", "2"}), EINVAL, "no blocks");
  ExpectRefused(table.With({"fec_roots", "2", "fec_blocks", "259", "use_fec_from_device"}), EINVAL,
                "no device's name");
  ExpectRefused(table.With({"use_fec_from_device", device, "use_fec_from_device", device,
                            "fec_roots", "2", "fec_blocks", "259"}),
                EINVAL, "the device twice");
  ExpectRefused(table.With({"use_fec_from_device", "99:9", "fec_roots", "2", "fec_blocks", "259"}),
                ENXIO, "a device that is not there");
  // Where it begins is 0 unless the table says otherwise.
  ExpectGood(verity_->image,
             table.With({"use_fec_from_device", device, "fec_roots", "2", "fec_blocks", "259"}),
             "no start");
}

// Two groups of blocks and two roots make four blocks of parity.
KASSAY_CASE_F(FecTable, TheParityFitsOnItsDevice, Cites("DMV-084").Timeout(60)) {
  ASSERT_EQ(LoadParity(2).size(), 4U * 4096);
  ExpectRefusedWith({.roots = "2", .start = "1"}, E2BIG, "the last block is beyond the device");
  ExpectRefusedWith({.roots = "2", .start = "4"}, E2BIG, "all is beyond the device");
  ExpectRefusedWith({.roots = "3"}, E2BIG, "three roots need six blocks");
  parity_ =
      std::make_unique<BlockDevice>(OrDie(BlockDevice::With(LoadParity(2).substr(0, 3 * 4096))));
  ExpectRefusedWith({.roots = "2"}, E2BIG, "three blocks");
  parity_ = std::make_unique<BlockDevice>(
      OrDie(BlockDevice::With(std::string(4096, 's') + LoadParity(2))));
  ExpectGoodWith({.roots = "2", .start = "1"}, "four blocks behind one");
  ExpectRefusedWith({.roots = "2", .start = "2"}, E2BIG, "three blocks behind two");
}

KASSAY_CASE_F(FecTable, TheStartCountsForCorrection, Cites("DMV-084", "DMV-080").Timeout(60)) {
  parity_ = std::make_unique<BlockDevice>(
      OrDie(BlockDevice::With(std::string(2 * 4096, 's') + LoadParity(2))));
  verity_->DamageData(3);
  const VerityTable table = WithParity(verity_->Table(), *parity_, {.roots = "2", .start = "2"});
  const Activation activation = Activate(table);
  ASSERT_THAT(activation.error, IsErrno(0));
  EXPECT_EQ(activation.device.Table(), table.Parameters());
  ExpectReads(activation.device, verity_->image, 3, "parity behind two blocks");
  EXPECT_EQ(activation.device.Status(), Told("V 1"));
}

KASSAY_CASE_F(FecTable, BlocksOfDataAndTreeAreOfOneSize, Cites("DMV-083").Timeout(60)) {
  const Verity deep(kDeep);
  ExpectRefused(WithParity(deep.Table(), *parity_, {.roots = "2", .blocks = "642"}), EINVAL,
                "1024 and 512 bytes");
}

KASSAY_CASE(FecSupport, IsAsTheConfigurationSays, Cites("DMV-085").Timeout(60)) {
  REQUIRE_VERITY();
  const RunningConfig config;
  if (!config.problem().empty()) KASSAY_UNMET(config.problem());
  const Verity verity(kPlain);
  const BlockDevice parity = ParityFor(2);
  const VerityTable table = WithParity(verity.Table(), parity, {.roots = "2"});
  if (config.IsOn("CONFIG_DM_VERITY_FEC")) {
    ExpectGood(verity.image, table, "error correction is built in");
  } else {
    ExpectRefused(table, EINVAL, "error correction is not built in");
  }
}

}  // namespace
}  // namespace kassay::verity
