// What a table line must be: each fault with its errno, and nothing left of the device.
#include "suites/dm_verity/verity.h"

namespace kassay::verity {
namespace {

class Table : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_VERITY();
    verity_ = std::make_unique<Verity>(kPlain);
    table_ = verity_->Table();
  }
  // The good table with one word changed.
  [[nodiscard]] VerityTable But(std::string VerityTable::*word, const std::string& value) const {
    VerityTable table = table_;
    table.*word = value;
    return table;
  }
  void ExpectInvalid(std::string VerityTable::*word, std::initializer_list<const char*> values,
                     int error = EINVAL) const {
    for (const char* value : values)
      ExpectRefused(But(word, value), error, std::string("'") + value + "'");
  }
  void ExpectStillGood() const { ExpectGood(verity_->image, table_, "as it should be"); }

  std::unique_ptr<Verity> verity_;
  VerityTable table_;
};

KASSAY_CASE_F(Table, AnUnsignedOneLoadsAndReads, Cites("DMV-020").Timeout(60)) {
  ExpectStillGood();
  const Activation activation = Activate(table_);
  ASSERT_THAT(activation.error, IsErrno(0));
  EXPECT_EQ(activation.device.Status(), Told("V -"));
  EXPECT_EQ(activation.device.Table(), table_.Parameters());
}

KASSAY_CASE_F(Table, TheStatusTellsACountWhereParityIs, Cites("DMV-091").Timeout(60)) {
  const Activation activation = Activate(table_);
  ASSERT_THAT(activation.error, IsErrno(0));
  EXPECT_EQ(activation.device.Status(), std::string("V -"));
}

// Both formats, three digests, a superblock, no salt, three levels and none.
KASSAY_CASE_F(Table, EveryFormatReads, Cites("DMV-020", "DMV-052").Timeout(90)) {
  for (const ImageSpec& spec : AllImages()) {
    const Verity verity(spec.name);
    ExpectGood(verity.image, verity.Table(), std::string(spec.name));
    Verity damaged(spec.name);
    damaged.DamageData(spec.blocks - 1);
    const Activation activation = Activate(damaged.Table());
    ASSERT_THAT(activation.error, IsErrno(0)) << spec.name;
    ExpectUnreadable(activation.device, damaged.image, spec.blocks - 1, std::string(spec.name));
  }
}

// A tree of the other format, or with the salt on the other side, is another tree.
KASSAY_CASE_F(Table, TheFormatIsWhatTheTableSays, Cites("DMV-052")) {
  for (const std::string_view name : {kPadded, kFormat0}) {
    const Verity verity(name);
    VerityTable table = verity.Table();
    table.version = verity.image.spec.format == 0 ? "1" : "0";
    const Activation activation = Activate(table);
    ASSERT_THAT(activation.error, IsErrno(0)) << name;
    ExpectUnreadable(activation.device, verity.image, 0, std::string(name));
    EXPECT_EQ(activation.device.Status(), Told("C -")) << name;
  }
}

KASSAY_CASE_F(Table, TooFewWordsAreInvalid, Cites("DMV-040")) {
  ExpectInvalid(&VerityTable::salt, {""});
  VerityTable only_version;
  only_version.sectors = table_.sectors;
  only_version.version = "1";
  ExpectRefused(only_version, EINVAL, "one word");
  ExpectStillGood();
}

KASSAY_CASE_F(Table, TheVersionIsZeroOrOne, Cites("DMV-041")) {
  ExpectInvalid(&VerityTable::version, {"2", "-1", "1x", "one"});
  ExpectStillGood();
}

KASSAY_CASE_F(Table, ItIsReadOnly, Cites("DMV-042")) {
  VerityTable table = table_;
  table.read_only = false;
  ExpectRefused(table, EINVAL, "a table that may be written");
  ExpectStillGood();
}

// A major number that nobody has: the minors of loop devices come into being when they are looked
// up.
KASSAY_CASE_F(Table, TheDevicesMustBeThere, Cites("DMV-043")) {
  for (std::string VerityTable::*word : {&VerityTable::data_device, &VerityTable::hash_device}) {
    ExpectInvalid(word, {"99:9"}, ENXIO);
    ExpectInvalid(word, {"/kassay/nothing"}, ENOENT);
    // A path that is there and is no block device.
    ExpectInvalid(word, {"/dev/null"}, ENOTBLK);
  }
  ExpectStillGood();
}

KASSAY_CASE_F(Table, BlockSizesArePowersOfTwoWithinLimits, Cites("DMV-044")) {
  ExpectInvalid(&VerityTable::data_block_size,
                {"0", "4095", "256", "3072", "8192", "4096x", "-4096"});
  ExpectInvalid(&VerityTable::hash_block_size, {"0", "4095", "256", "3072", "4096x"});
  ExpectStillGood();
}

KASSAY_CASE_F(Table, TheTargetIsNoLongerThanTheData, Cites("DMV-045")) {
  VerityTable table = table_;
  table.sectors = 2056;
  ExpectRefused(table, EINVAL, "one block longer");
  ExpectInvalid(&VerityTable::blocks, {"255", "x", "256x", "2305843009213693952"});
  // Shorter is a window on the same tree.
  table.sectors = 2040;
  const Activation activation = Activate(table);
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity_->image, 254, "a shorter target");
  EXPECT_EQ(ReadDirect(activation.device.Path(), 255 * 4096, 4096).result, 0);
}

KASSAY_CASE_F(Table, TheTreeMustFitOnItsDevice, Cites("DMV-046")) {
  // Three blocks from 0 on are all that is there.
  ExpectInvalid(&VerityTable::hash_start, {"1", "3", "1000000"}, E2BIG);
  ExpectInvalid(&VerityTable::hash_start, {"x", "0x", "2305843009213693952"}, EINVAL);
  ExpectStillGood();
}

KASSAY_CASE_F(Table, AnUnknownDigestIsNotFound, Cites("DMV-047")) {
  ExpectInvalid(&VerityTable::algorithm, {"nohash", "SHA256"}, ENOENT);
  ExpectStillGood();
}

KASSAY_CASE_F(Table, TheRootIsHexadecimalOfTheDigestsLength, Cites("DMV-048")) {
  const std::string& root = verity_->image.root_hex;
  for (const std::string& wrong :
       {root.substr(2), root + "00", root.substr(1), "g" + root.substr(1), std::string("-")})
    ExpectRefused(But(&VerityTable::root, wrong), EINVAL, "root " + wrong);
  std::string upper = root;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  ExpectGood(verity_->image, But(&VerityTable::root, upper), "upper case");
}

KASSAY_CASE_F(Table, TheSaltIsHexadecimal, Cites("DMV-049")) {
  ExpectInvalid(&VerityTable::salt, {"001122330", "0", "0011223g", "--"});
  ExpectStillGood();
}

KASSAY_CASE_F(Table, OptionsAreKnownAndConsistent, Cites("DMV-050", "DMV-053")) {
  const auto expect_invalid = [&](const std::vector<std::string>& options) {
    std::string what = "options";
    for (const std::string& option : options) what += " " + option;
    ExpectRefused(table_.With(options), EINVAL, what);
  };
  expect_invalid({"unknown_option"});
  expect_invalid({"ignore_corruption", "restart_on_corruption"});
  expect_invalid({"panic_on_corruption", "ignore_corruption"});
  expect_invalid({"panic_on_corruption", "panic_on_corruption"});
  expect_invalid({"check_at_most_once", "unknown_option"});
  for (const char* count : {"99", "16", "2", "x", "-1"}) {
    VerityTable table = table_.With({"ignore_corruption"});
    table.option_count = count;
    // A smaller number ends the options there; a larger one names words that are not there.
    ExpectRefused(table, EINVAL, std::string("the number of words: ") + count);
  }
  ExpectStillGood();
}

// The table as it is told again: options in the kernel's order, the root in lower case, no list of
// none.
KASSAY_CASE_F(Table, ItIsToldAsItIsUnderstood, Cites("DMV-053")) {
  const std::string plain = table_.Parameters();
  const auto told = [&](const VerityTable& table) {
    const Activation activation = Activate(table);
    EXPECT_THAT(activation.error, IsErrno(0)) << table.Parameters();
    return activation.device.Table();
  };
  for (const char* option : {"ignore_corruption", "restart_on_corruption", "panic_on_corruption",
                             "ignore_zero_blocks", "check_at_most_once", "try_verify_in_tasklet"})
    EXPECT_EQ(told(table_.With({option})), plain + " 1 " + option);
  EXPECT_EQ(told(table_.With({"check_at_most_once", "ignore_zero_blocks", "ignore_corruption"})),
            plain + " 3 ignore_corruption ignore_zero_blocks check_at_most_once");
  EXPECT_EQ(told(table_.With({"IGNORE_Corruption"})), plain + " 1 ignore_corruption");
  VerityTable none = table_;
  none.option_count = "0";
  EXPECT_EQ(told(none), plain);
  VerityTable upper = table_;
  for (char& c : upper.root) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(told(upper), plain);
}

KASSAY_CASE_F(Table, ErrorModesAreIndependentOfCorruptionModes, Cites("DMV-067")) {
  const std::string plain = table_.Parameters();
  for (const char* corruption :
       {"ignore_corruption", "restart_on_corruption", "panic_on_corruption"}) {
    for (const char* error : {"restart_on_error", "panic_on_error"}) {
      const Activation activation = Activate(table_.With({error, corruption}));
      EXPECT_THAT(activation.error, IsErrno(0));
      EXPECT_EQ(activation.device.Table(), plain + " 2 " + corruption + " " + error);
      ExpectReads(activation.device, verity_->image, 0, "good data");
    }
  }
  ExpectRefused(table_.With({"restart_on_error", "panic_on_error"}), EINVAL, "two error modes");
  ExpectRefused(table_.With({"panic_on_error", "panic_on_error"}), EINVAL, "one error mode twice");
}

// It must be the only target of its table, and the table cannot be replaced by another kind
// (DM_TARGET_SINGLETON, DM_TARGET_IMMUTABLE): what LSMs rely on.
KASSAY_CASE_F(Table, NothingStandsBesideItOrTakesItsPlace, Cites("DMV-054")) {
  auto device = MappedDevice::Create();
  ASSERT_TRUE(device);
  const Target target{.length = table_.sectors, .parameters = table_.Parameters()};
  const Target linear{.start = table_.sectors,
                      .length = 8,
                      .type = "linear",
                      .parameters = verity_->data.MajorMinor() + " 0"};
  EXPECT_THAT(device->Load({target, linear}), IsErrno(EINVAL));
  EXPECT_FALSE(device->HasTable());
  ASSERT_THAT(device->Load({target}), IsErrno(0));
  ASSERT_THAT(device->Resume(), IsErrno(0));
  EXPECT_THAT(device->Load({{.length = table_.sectors,
                             .type = "linear",
                             .parameters = verity_->data.MajorMinor() + " 0"}}),
              IsErrno(EINVAL));
  EXPECT_EQ(device->Table(), table_.Parameters());
  ExpectReads(*device, verity_->image, 3, "after the attempt");
}

}  // namespace
}  // namespace kassay::verity
