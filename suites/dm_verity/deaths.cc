// The modes in which what is found ends the machine. The panic and the restart are seen from
// outside; what must not end it is asserted in the same case, before.
#include "suites/dm_verity/unreadable.h"
#include "suites/dm_verity/verity.h"

namespace kassay::verity {
namespace {

// Reads good data first; reading the damaged block is the last that happens.
void ReadIntoCorruption(const std::string& mode) {
  Verity verity(kPlain);
  verity.DamageData(8);
  const Activation activation = Activate(verity.Table().With({mode}));
  ASSERT_THAT(activation.error, IsErrno(0));
  EXPECT_EQ(activation.device.Table(), verity.Table().Parameters() + " 1 " + mode);
  for (const std::uint64_t block : {0, 9, 255})
    ExpectReads(activation.device, verity.image, block, "undamaged");
  if (testing::Test::HasFailure()) return;
  static_cast<void>(ReadDirect(activation.device.Path(), 8 * 4096, 4096));
}

void ReadIntoTreeCorruption(const std::string& mode) {
  Verity verity(kDeep);
  verity.DamageTree(1, 2);  // the top's third child: blocks from 512 on
  const Activation activation = Activate(verity.Table().With({mode}));
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity.image, 511, "undamaged");
  if (testing::Test::HasFailure()) return;
  static_cast<void>(ReadDirect(activation.device.Path(), 512 * 1024, 1024));
}

constexpr const char* kPanic = "Kernel panic - not syncing: dm-verity device corrupted";
constexpr const char* kRestart = "Restarting system with command 'dm-verity device corrupted'";

KASSAY_CASE(Panic, OnDamagedData, Cites("DMV-066").Timeout(60).ExpectsPanic(kPanic)) {
  REQUIRE_VERITY();
  ReadIntoCorruption("panic_on_corruption");
}

KASSAY_CASE(Panic, OnADamagedTree, Cites("DMV-066").Timeout(60).ExpectsPanic(kPanic)) {
  REQUIRE_VERITY();
  ReadIntoTreeCorruption("panic_on_corruption");
}

KASSAY_CASE(Restart, OnDamagedData, Cites("DMV-065").Timeout(60).ExpectsRestart(kRestart)) {
  REQUIRE_VERITY();
  ReadIntoCorruption("restart_on_corruption");
}

KASSAY_CASE(Restart, OnADamagedTree, Cites("DMV-065").Timeout(60).ExpectsRestart(kRestart)) {
  REQUIRE_VERITY();
  ReadIntoTreeCorruption("restart_on_corruption");
}

// An error of reading is another thing than corruption, either way.
void ReadIntoError(const std::string& mode) {
  Verity verity(kPlain);
  auto data = UnreadableBlock(verity.data, 8);
  ASSERT_TRUE(data) << data.error().message;
  VerityTable table = verity.Table();
  table.data_device = data->MajorMinor();
  {
    const Activation corruption_modes = Activate(
        table.With({mode.starts_with("panic") ? "panic_on_corruption" : "restart_on_corruption"}));
    ASSERT_THAT(corruption_modes.error, IsErrno(0));
    ExpectUnreadable(corruption_modes.device, verity.image, 8, "a corruption mode, no corruption");
    EXPECT_EQ(corruption_modes.device.Status(), Told("V -"));
  }
  verity.DamageData(20);
  const Activation activation = Activate(table.With({mode}));
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectReads(activation.device, verity.image, 9, "undamaged");
  ExpectUnreadable(activation.device, verity.image, 20, "an error mode, corruption");
  EXPECT_EQ(activation.device.Status(), Told("C -"));
  if (testing::Test::HasFailure()) return;
  static_cast<void>(ReadDirect(activation.device.Path(), 8 * 4096, 4096));
}

KASSAY_CASE(Panic, OnAnErrorOfReading,
            Cites("DMV-067", "DMV-074")
                .Timeout(60)
                .ExpectsPanic("Kernel panic - not syncing: dm-verity device has I/O error")) {
  REQUIRE_VERITY();
  ReadIntoError("panic_on_error");
}

KASSAY_CASE(
    Restart, OnAnErrorOfReading,
    Cites("DMV-067", "DMV-074")
        .Timeout(60)
        .ExpectsRestart("Restarting system with command 'dm-verity device has I/O error'")) {
  REQUIRE_VERITY();
  ReadIntoError("restart_on_error");
}

KASSAY_CASE(Errors, OfReadingAreNoCorruption, Cites("DMV-074").Timeout(60)) {
  REQUIRE_VERITY();
  const Verity verity(kPlain);
  const auto data = UnreadableBlock(verity.data, 8);
  ASSERT_TRUE(data) << data.error().message;
  VerityTable table = verity.Table();
  table.data_device = data->MajorMinor();
  const Activation activation = Activate(table);
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectUnreadable(activation.device, verity.image, 8, "cannot be read");
  ExpectReads(activation.device, verity.image, 7, "before it");
  ExpectReads(activation.device, verity.image, 9, "after it");
  EXPECT_EQ(activation.device.Status(), Told("V -"));
}

}  // namespace
}  // namespace kassay::verity
