// What comes and goes with the module, with a table, and with the thread that loaded it.
#include <unistd.h>

#include <atomic>

#include <chrono>
#include <fstream>
#include <thread>

#include "suites/dm_verity/trust.h"

namespace kassay::verity {
namespace {

using namespace std::chrono_literals;

// Keys are collected some time after their last use (security/keys/gc.c).
bool Vanishes(Serial key) {
  for (int i = 0; i < 100; ++i) {
    if (ProcKeysLine(key).empty()) return true;
    std::this_thread::sleep_for(50ms);
  }
  return false;
}

// A thread with a keyring of its own that does something and ends.
template <typename Body>
Serial InThreadWithKeyring(Body body) {
  Serial serial = 0;
  std::thread([&] {
    serial = keyctl_get_keyring_ID(KEY_SPEC_THREAD_KEYRING, 1);
    body();
  }).join();
  return serial;
}

KASSAY_CASE(Lifetime, ATableKeepsNoKeyringOfItsLoadersThread, Cites("DMV-055").Timeout(60)) {
  REQUIRE_VERITY();
  const Serial control = InThreadWithKeyring([] {});
  ASSERT_GT(control, 0);
  ASSERT_TRUE(Vanishes(control)) << "a thread's keyring that nobody else uses";
  const Verity verity(kPlain);
  // The control file is opened here: an open file keeps the credentials of who opened it.
  auto device = std::make_unique<MappedDevice>(OrDie(MappedDevice::Create()));
  long error = -1;
  const VerityTable table = verity.Table();
  const Serial loader = InThreadWithKeyring([&] {
    error = device->Load({{.length = table.sectors, .parameters = table.Parameters()}});
    if (error == 0) error = device->Resume();
  });
  ASSERT_GT(loader, 0);
  ASSERT_THAT(error, IsErrno(0));
  EXPECT_TRUE(Vanishes(loader)) << "the loader's thread is gone, its keyring is not";
  ExpectReads(*device, verity.image, 1, "the thread is gone, the table is not");
  device.reset();
  EXPECT_TRUE(Vanishes(loader)) << "not with the table either";
}

KASSAY_CASE(Lifetime, TheKeyringGoesWithTheModule, Cites("DMV-015").Timeout(90)) {
  REQUIRE_OPEN_KEYRING();
  if (!IsModule()) KASSAY_ABSENT("dm-verity is built in: CONFIG_DM_VERITY is not m");
  const Verity verity(kPlain);
  const Signer signer(kRsa);
  const VerityTable table = Signed(verity.Table(), signer.Over(verity.image.root_hex));
  Trust({signer.certificate});
  {
    const Activation activation = Activate(table);
    ASSERT_THAT(activation.error, IsErrno(0));
    EXPECT_THAT(UnloadModule(), IsErrno(EWOULDBLOCK)) << "a table is loaded";
    ExpectReads(activation.device, verity.image, 0, "after the attempt");
  }
  ExpectGood(verity.image, table, "after the attempt, again");
  const Serial old = VerityKeyring();
  ASSERT_THAT(UnloadModule(), IsErrno(0));
  EXPECT_FALSE(HasTarget("verity"));
  EXPECT_TRUE(Vanishes(old)) << ProcKeysLine(old);
  ASSERT_THAT(LoadModule("keyring_unsealed=0"), IsErrno(0));
  const Serial sealed = VerityKeyring();
  ASSERT_GT(sealed, 0);
  EXPECT_EQ(Parameter("keyring_unsealed"), "N");
  EXPECT_EQ(CountOf(sealed), 0) << "nothing is inherited";
  EXPECT_THAT(AddCertificate(signer.certificate, sealed), IsErrno(EPERM));
  ExpectRefused(table, ENOKEY, "whom the old keyring trusted");
  ASSERT_THAT(UnloadModule(), IsErrno(0));
  ASSERT_THAT(LoadModule("keyring_unsealed=1"), IsErrno(0));
  Trust({signer.certificate});
  ExpectGood(verity.image, table, "trusted anew");
}

// Sealing returns: from then on the number of keys does not grow, not by a key either that was on
// its way in. That is a matter of every keyring; .dm-verity can only be sealed once a boot, so the
// rounds are on keyrings that are made like it.
struct RaceRound {
  bool was_under_way;  // the key was being added when the keyring was sealed
  bool entered_late;
};
RaceRound RaceSealing(Serial keyring, const std::string& certificate,
                      std::chrono::microseconds delay) {
  std::atomic<bool> started = false;
  std::atomic<bool> ended = false;
  std::thread adder([&] {
    started = true;
    static_cast<void>(AddCertificate(certificate, keyring));
    ended = true;
  });
  while (!started) std::this_thread::yield();
  const auto until = std::chrono::steady_clock::now() + delay;
  while (std::chrono::steady_clock::now() < until) {
  }
  EXPECT_THAT(Seal(keyring), IsErrno(0));
  const long at_sealing = CountOf(keyring);
  const bool was_under_way = !ended;
  adder.join();
  return {was_under_way, CountOf(keyring) > at_sealing};
}

KASSAY_CASE(Race, NoKeyEntersAfterSealingReturned, Cites("DMV-008").Timeout(90)) {
  REQUIRE_OPEN_KEYRING();
  const std::string certificate = FixtureCertificate(kRsa);
  int under_way = 0;
  int late = 0;
  // Enough that a kernel which lets one in is caught nearly always; one is enough.
  for (int round = 0; round < 400 && late == 0; ++round) {
    const Serial keyring =
        round == 0 ? VerityKeyring() : NewKeyring("round" + std::to_string(round));
    const RaceRound seen =
        RaceSealing(keyring, certificate, std::chrono::microseconds(round % 12 * 100));
    under_way += seen.was_under_way ? 1 : 0;
    late += seen.entered_late ? 1 : 0;
  }
  RecordMeasure("rounds that met", under_way);
  EXPECT_EQ(late, 0) << "keys that entered a sealed keyring";
  if (under_way == 0 && late == 0)
    KASSAY_UNMET("no key was on its way when its keyring was sealed");
}

// Hardly a block of the tree stays in memory, and four threads read all over the device.
KASSAY_CASE(Readers, GetWhatWasWrittenWithHardlyACache, Cites("DMV-077").Timeout(90)) {
  REQUIRE_VERITY();
  const std::string path = "/sys/module/dm_bufio/parameters/max_cache_size_bytes";
  {
    std::ofstream file(path);
    file << "4096";
    file.flush();
    if (!file.good()) KASSAY_UNMET(path + " cannot be written");
  }
  const Verity verity(kDeep);
  for (const char* option : {"check_at_most_once", "try_verify_in_tasklet", "ignore_zero_blocks"}) {
    const Activation activation = Activate(verity.Table().With({option}));
    ASSERT_THAT(activation.error, IsErrno(0));
    std::atomic<int> wrong = 0;
    std::vector<std::thread> readers;
    for (std::uint64_t reader = 0; reader < 4; ++reader) {
      readers.emplace_back([&, reader] {
        for (std::uint64_t i = 0; i < 150; ++i) {
          const std::uint64_t block = (i * 157 + reader * 211) % 600;
          if (ReadDirect(activation.device.Path(), block * 1024, 1024).bytes !=
              verity.image.Block(block))
            ++wrong;
        }
      });
    }
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(wrong, 0) << option;
    EXPECT_EQ(activation.device.Status(), Told("V -")) << option;
  }
}

}  // namespace
}  // namespace kassay::verity
