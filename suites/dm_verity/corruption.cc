// Damage on the media: what is refused, what still reads, and what the device says of itself.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "suites/dm_verity/verity.h"
#include "suites/support/kernel_config.h"

namespace kassay::verity {
namespace {

KASSAY_CASE(Corruption, ADamagedBlockIsUnreadableAndItsNeighboursAreNot, Cites("DMV-060")) {
  REQUIRE_VERITY();
  Verity verity(kPlain);
  const Activation activation = Activate(verity.Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity.image, 20, "undamaged");
  EXPECT_EQ(activation.device.Status(), Told("V -"));
  verity.data.Invert(20 * 4096 + 4095);
  ExpectReads(activation.device, verity.image, 19, "before the damaged one");
  ExpectReads(activation.device, verity.image, 21, "after the damaged one");
  EXPECT_EQ(activation.device.Status(), Told("V -")) << "nothing damaged was read so far";
  ExpectUnreadable(activation.device, verity.image, 20, "its last byte");
  EXPECT_EQ(activation.device.Status(), Told("C -"));
  ExpectReads(activation.device, verity.image, 19, "before the damaged one, again");
  verity.data.Invert(20 * 4096 + 4095);
  ExpectReads(activation.device, verity.image, 20, "mended");
  EXPECT_EQ(activation.device.Status(), Told("C -")) << "what was found is not forgotten";
}

// A checker that looks at part of a block, or only at its first read, would let some through.
KASSAY_CASE(Corruption, EveryPlaceInABlockCounts, Cites("DMV-060")) {
  REQUIRE_VERITY();
  Verity verity(kDeep);
  const Activation activation = Activate(verity.Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  for (const unsigned at : {0U, 1U, 511U, 512U, 513U, 1022U, 1023U}) {
    const std::uint64_t block = 599 - at % 7;
    verity.data.Invert(block * 1024 + at);
    ExpectUnreadable(activation.device, verity.image, block, "byte " + std::to_string(at));
    ExpectUnreadable(activation.device, verity.image, block, "once more");
    verity.data.Invert(block * 1024 + at);
    ExpectReads(activation.device, verity.image, block, "mended");
  }
}

// The right data in the wrong place is wrong data.
KASSAY_CASE(Corruption, ABlockOfAnotherPlaceIsUnreadable, Cites("DMV-060")) {
  REQUIRE_VERITY();
  Verity verity(kPlain);
  std::string swapped = verity.image.data;
  const std::string first(verity.image.Block(10));
  const std::string second(verity.image.Block(11));
  swapped.replace(10 * 4096, 4096, second);
  swapped.replace(11 * 4096, 4096, first);
  const auto data = BlockDevice::With(swapped);
  ASSERT_TRUE(data);
  VerityTable table = verity.Table();
  table.data_device = data->MajorMinor();
  const Activation activation = Activate(table);
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectUnreadable(activation.device, verity.image, 10, "another block of the image");
  ExpectUnreadable(activation.device, verity.image, 11, "another block of the image");
  ExpectReads(activation.device, verity.image, 12, "in its place");
}

KASSAY_CASE(Corruption, ALongReadEndsBeforeTheDamagedBlock, Cites("DMV-061")) {
  REQUIRE_VERITY();
  Verity verity(kPlain);
  verity.DamageData(2);
  const Activation activation = Activate(verity.Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  // Through the page cache: whole pages that are good come first.
  const UniqueFd file(open(activation.device.Path().c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file.IsOpen());
  std::string bytes(65536, '\0');
  EXPECT_EQ(pread(file.Get(), bytes.data(), bytes.size(), 0), 8192);
  EXPECT_EQ(bytes.compare(0, 8192, verity.image.data, 0, 8192), 0);
  EXPECT_THAT(pread(file.Get(), bytes.data(), bytes.size(), 8192), SyscallFailsWithErrno(EIO));
  EXPECT_EQ(pread(file.Get(), bytes.data(), bytes.size(), 12288), 65536);
  // One request without the page cache is good or is not.
  EXPECT_THAT(ReadDirect(activation.device.Path(), 0, 65536).result, IsErrno(EIO));
  EXPECT_EQ(ReadDirect(activation.device.Path(), 0, 8192).result, 8192);
}

// One digest damaged on each level: exactly the data below it is unreadable. The damaged block of
// the tree takes all its siblings along, for it as a whole no longer has its digest.
KASSAY_CASE(Corruption, ADamagedBlockOfTheTreeTakesWhatIsBelowIt, Cites("DMV-062").Timeout(90)) {
  REQUIRE_VERITY();
  const ImageSpec spec = LoadImage(kDeep).spec;
  const std::vector<std::uint64_t> levels = LevelsOf(spec);
  ASSERT_EQ(levels, (std::vector<std::uint64_t>{38, 3, 1}));
  std::uint64_t covered = 1;
  for (std::size_t level = 0; level < levels.size(); ++level) {
    covered *= DigestsPerBlock(spec);  // data blocks below a block of this level
    const std::uint64_t damaged = levels[level] / 2;
    Verity verity(kDeep);
    verity.DamageTree(level, damaged, 5);
    const Activation activation = Activate(verity.Table());
    ASSERT_THAT(activation.error, IsErrno(0));
    const std::string what = "level " + std::to_string(level);
    const std::uint64_t begin = damaged * covered;
    const std::uint64_t end = std::min(begin + covered, spec.blocks);
    if (begin > 0) {
      ExpectReads(activation.device, verity.image, begin - 1, what + ", before");
      EXPECT_EQ(activation.device.Status(), Told("V -")) << what;
    }
    if (end < spec.blocks) ExpectReads(activation.device, verity.image, end, what + ", after");
    for (const std::uint64_t block : {begin, begin + 5, end - 1})
      ExpectUnreadable(activation.device, verity.image, block, what);
    EXPECT_EQ(activation.device.Status(), Told("C -")) << what;
  }
}

// Bytes of a tree block that no digest lies in are part of the block all the same.
KASSAY_CASE(Corruption, TheTreesPaddingCounts, Cites("DMV-062")) {
  REQUIRE_VERITY();
  RequireOption("CONFIG_CRYPTO_SHA1");  // of which a block holds less than it has room for
  Verity verity(kPadded);
  // 200 digests of 20 bytes, 32 apart, in blocks of 4096: the second leaf is padded.
  const std::uint64_t leaf = verity.TreeBlock(0, 1) * 4096;
  ASSERT_EQ(verity.image.tree.substr(leaf + 20, 12), std::string(12, '\0'));
  verity.hash.Invert(leaf + 20);
  const Activation activation = Activate(verity.Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity.image, 127, "of the first leaf");
  ExpectUnreadable(activation.device, verity.image, 128, "of the second leaf");
}

KASSAY_CASE(Corruption, AWrongSaltOrRootMakesAllUnreadable, Cites("DMV-063")) {
  REQUIRE_VERITY();
  const Verity verity(kPlain);
  VerityTable no_salt = verity.Table();
  no_salt.salt = "-";
  VerityTable other_salt = verity.Table();
  other_salt.salt = "00112234";
  VerityTable other_root = verity.Table();
  other_root.root[0] = other_root.root[0] == '0' ? '1' : '0';
  VerityTable last_digit = verity.Table();
  last_digit.root.back() = last_digit.root.back() == '0' ? '1' : '0';
  for (const VerityTable& table : {no_salt, other_salt, other_root, last_digit}) {
    const Activation activation = Activate(table);
    ASSERT_THAT(activation.error, IsErrno(0)) << table.Parameters();
    for (const std::uint64_t block : {0, 100, 255})
      ExpectUnreadable(activation.device, verity.image, block, table.Parameters());
    EXPECT_EQ(activation.device.Status(), Told("C -"));
  }
}

KASSAY_CASE(Corruption, IgnoredItIsReadAndTold, Cites("DMV-064")) {
  REQUIRE_VERITY();
  Verity verity(kPlain);
  verity.DamageData(4);
  verity.DamageTree(0, 1, 3);
  const Activation activation = Activate(verity.Table().With({"ignore_corruption"}));
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity.image, 5, "undamaged");
  EXPECT_EQ(activation.device.Status(), Told("V -"));
  const ReadBack read = ReadDirect(activation.device.Path(), 4 * 4096, 4096);
  ASSERT_EQ(read.result, 4096);
  std::string expected(verity.image.Block(4));
  expected[0] = static_cast<char>(~expected[0]);
  EXPECT_TRUE(read.bytes == expected) << "not what is on the medium";
  EXPECT_EQ(activation.device.Status(), Told("C -"));
  ExpectReads(activation.device, verity.image, 200, "below a damaged block of the tree");
}

// Everything that is expected to be zero is zero without being looked at.
KASSAY_CASE(Corruption, ZeroBlocksAreNotLookedAtIfSoTold, Cites("DMV-073")) {
  REQUIRE_VERITY();
  Verity verity(kPlain);
  verity.DamageData(kZeroBlock);
  verity.DamageData(kZeroBlock + 1);
  const Activation activation = Activate(verity.Table().With({"ignore_zero_blocks"}));
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity.image, kZeroBlock, "a damaged zero block");
  EXPECT_EQ(activation.device.Status(), Told("V -"));
  ExpectUnreadable(activation.device, verity.image, kZeroBlock + 1, "a damaged other block");
  const Activation without = Activate(verity.Table());
  ASSERT_THAT(without.error, IsErrno(0));
  ExpectUnreadable(without.device, verity.image, kZeroBlock, "without the option");
}

KASSAY_CASE(Corruption, CheckedAtMostOnceTheFirstReadStillCounts, Cites("DMV-068")) {
  REQUIRE_VERITY();
  Verity verity(kPlain);
  verity.DamageData(30);
  const Activation activation = Activate(verity.Table().With({"check_at_most_once"}));
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectUnreadable(activation.device, verity.image, 30, "first read");
  ExpectUnreadable(activation.device, verity.image, 30, "second read");
  ExpectReads(activation.device, verity.image, 31, "first read");
  // What was good once is not looked at again: that is the bargain.
  verity.DamageData(31);
  const ReadBack read = ReadDirect(activation.device.Path(), 31 * 4096, 4096);
  EXPECT_EQ(read.result, 4096);
  EXPECT_FALSE(read.bytes == verity.image.Block(31)) << "not what is on the medium";
  verity.DamageData(32);
  ExpectUnreadable(activation.device, verity.image, 32, "never read before");
}

// Reads of up to use_bh_bytes are verified in a softirq, larger ones in a worker.
KASSAY_CASE(Corruption, VerifiedInASoftirqItIsRefusedAsWell, Cites("DMV-068", "DMV-072")) {
  REQUIRE_VERITY();
  Verity verity(kDeep);
  verity.DamageData(100);
  verity.DamageTree(0, 20);  // blocks 320 to 335
  const Activation activation = Activate(verity.Table().With({"try_verify_in_tasklet"}));
  ASSERT_THAT(activation.error, IsErrno(0));
  for (int round = 0; round < 3; ++round) {
    ExpectReads(activation.device, verity.image, 99, "small");
    ExpectUnreadable(activation.device, verity.image, 100, "small");
    ExpectReads(activation.device, verity.image, 319, "small");
    ExpectUnreadable(activation.device, verity.image, 320, "below a damaged block of the tree");
    EXPECT_EQ(ReadDirect(activation.device.Path(), 0, 65536).result, 65536) << "large";
    EXPECT_THAT(ReadDirect(activation.device.Path(), 65536, 65536).result, IsErrno(EIO)) << "large";
  }
  EXPECT_EQ(activation.device.Status(), Told("C -"));
}

// The option counted twice was never taken back (a static key that stays on, and a warning when it
// underflows).
KASSAY_CASE(Corruption, TheSoftirqOptionTwiceIsTheOptionOnce, Cites("DMV-070")) {
  REQUIRE_VERITY();
  Verity verity(kPlain);
  verity.DamageData(9);
  const VerityTable twice = verity.Table().With({"try_verify_in_tasklet", "try_verify_in_tasklet"});
  for (int round = 0; round < 3; ++round) {
    const Activation activation = Activate(twice);
    ASSERT_THAT(activation.error, IsErrno(0));
    EXPECT_EQ(activation.device.Table(), verity.Table().Parameters() + " 1 try_verify_in_tasklet");
    ExpectReads(activation.device, verity.image, 8, "round " + std::to_string(round));
    ExpectUnreadable(activation.device, verity.image, 9, "round " + std::to_string(round));
  }
  const Activation plain = Activate(verity.Table());
  ASSERT_THAT(plain.error, IsErrno(0));
  ExpectReads(plain.device, verity.image, 8, "afterwards, without the option");
  ExpectUnreadable(plain.device, verity.image, 9, "afterwards, without the option");
}

KASSAY_CASE(Corruption, NobodyWritesThroughIt, Cites("DMV-069")) {
  REQUIRE_VERITY();
  Verity verity(kPlain);
  const Activation activation = Activate(verity.Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  const std::string zeros(4096, '\0');
  const UniqueFd file(open(activation.device.Path().c_str(), O_WRONLY | O_CLOEXEC));
  if (file.IsOpen()) {
    EXPECT_THAT(pwrite(file.Get(), zeros.data(), zeros.size(), 0), SyscallFailsWithErrno(EPERM));
  } else {
    EXPECT_EQ(errno, EACCES);
  }
  ExpectReads(activation.device, verity.image, 0, "after the attempt");
  // Below it the medium is written all the time; this is what verity is there for.
  verity.DamageData(0);
  ExpectUnreadable(activation.device, verity.image, 0, "written below");
}

// One pass through the page cache, one past it, and both of a device that was set up again.
KASSAY_CASE(Corruption, ANewTableForgetsWhatAnOldOneFound, Cites("DMV-060")) {
  REQUIRE_VERITY();
  Verity verity(kPlain);
  verity.DamageData(50);
  {
    const Activation activation = Activate(verity.Table());
    ASSERT_THAT(activation.error, IsErrno(0));
    ExpectUnreadable(activation.device, verity.image, 50, "damaged");
    EXPECT_EQ(activation.device.Status(), Told("C -"));
  }
  verity.DamageData(50);  // inverted twice
  ExpectGood(verity.image, verity.Table(), "mended");
}

}  // namespace
}  // namespace kassay::verity
