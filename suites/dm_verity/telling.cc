// How corruption is told: one uevent a block, a hundred at most, and the log.
#include <thread>

#include "suites/dm_verity/uevents.h"
#include "suites/dm_verity/verity.h"

namespace kassay::verity {
namespace {

constexpr std::size_t kMostErrors = 100;  // DM_VERITY_MAX_CORRUPTED_ERRS

std::vector<std::string> ValuesOf(const std::vector<Uevents::Event>& events,
                                  const MappedDevice& device) {
  std::vector<std::string> values;
  for (const Uevents::Event& event : events) {
    EXPECT_EQ(event.device, device.KernelName());
    EXPECT_EQ(event.action, "change");
    values.push_back(event.corruption);
  }
  return values;
}

KASSAY_CASE(Telling, NamesKindAndNumberOfTheBlock, Cites("DMV-075")) {
  REQUIRE_VERITY();
  Verity verity(kDeep);
  verity.DamageData(599);
  verity.DamageData(0);
  verity.DamageTree(0, 20);  // blocks 320 to 335
  verity.DamageTree(1, 2);   // blocks from 512 on
  const Activation activation = Activate(verity.Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  Uevents uevents;
  ASSERT_TRUE(uevents.IsListening());
  const auto told_by_reading = [&](std::uint64_t block) {
    static_cast<void>(ReadDirect(activation.device.Path(), block * 1024, 1024));
    return ValuesOf(uevents.Corruptions(), activation.device);
  };
  EXPECT_THAT(told_by_reading(1), testing::IsEmpty());
  EXPECT_THAT(told_by_reading(0), testing::ElementsAre("0,0"));
  EXPECT_THAT(told_by_reading(0), testing::ElementsAre("0,0")) << "read again, told again";
  // A block of the tree counts from the begin of its device: one on top, three below, then leaves.
  EXPECT_THAT(told_by_reading(325), testing::ElementsAre("1,24"));
  EXPECT_THAT(told_by_reading(599), testing::ElementsAre("1,3"));
}

KASSAY_CASE(Telling, EndsAfterAHundred, Cites("DMV-075").Timeout(60)) {
  REQUIRE_VERITY();
  Verity verity(kPlain);
  for (std::uint64_t block = 100; block < 230; ++block) verity.DamageData(block);
  const Activation activation = Activate(verity.Table());
  ASSERT_THAT(activation.error, IsErrno(0));
  Uevents uevents;
  LogCounter log;
  const auto read_to = [&](std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t block = from; block < to; ++block)
      ExpectUnreadable(activation.device, verity.image, block, "damaged");
    return ValuesOf(uevents.Corruptions(), activation.device);
  };
  std::vector<std::string> expected;
  for (std::uint64_t block = 100; block < 199; ++block)
    expected.push_back("0," + std::to_string(block));
  EXPECT_EQ(read_to(100, 199), expected);
  EXPECT_EQ(log.Count("reached maximum errors"), 0U) << "after 99";
  EXPECT_THAT(read_to(199, 200), testing::ElementsAre("0,199"));
  EXPECT_EQ(log.Count("reached maximum errors"), 1U) << "after 100";
  EXPECT_THAT(read_to(200, 230), testing::IsEmpty()) << "they are refused, and not told";
  EXPECT_EQ(log.Count("reached maximum errors"), 1U);
  EXPECT_LE(log.Count(" is corrupted"), kMostErrors);
  EXPECT_EQ(activation.device.Status(), Told("C -"));
  ExpectReads(activation.device, verity.image, 99, "undamaged");
}

KASSAY_CASE(Telling, EndsAfterAHundredOfManyReadersToo, Cites("DMV-076").Timeout(90)) {
  REQUIRE_VERITY();
  Verity verity(kDeep);
  for (std::uint64_t block = 0; block < 512; ++block) verity.DamageData(block);
  for (int round = 0; round < 5; ++round) {
    const Activation activation = Activate(verity.Table());
    ASSERT_THAT(activation.error, IsErrno(0));
    Uevents uevents;
    LogCounter log;
    std::vector<std::thread> readers;
    for (std::uint64_t reader = 0; reader < 4; ++reader) {
      readers.emplace_back([&, reader] {
        for (std::uint64_t block = reader; block < 512; block += 4)
          static_cast<void>(ReadDirect(activation.device.Path(), block * 1024, 1024));
      });
    }
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(uevents.Corruptions().size(), kMostErrors) << "round " << round;
    EXPECT_EQ(log.Count("reached maximum errors"), 1U) << "round " << round;
  }
}

}  // namespace
}  // namespace kassay::verity
