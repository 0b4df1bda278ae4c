#include "harness/firmware/variable_store.h"

#include <gmock/gmock.h>

#include "harness/firmware/testing/empty_store.h"

namespace kassay::efi {
namespace {

using ::testing::ElementsAre;
using testing::EmptyStore;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Variable kDb{"db", kImageSecurityDatabase.Bytes(),
                   kNonVolatile | kBootService | kRuntime | kTimeBasedAuthenticated, "lists"};
const Variable kSwitch{"SecureBootEnable", kSecureBootEnableDisable.Bytes(),
                       kNonVolatile | kBootService, std::string(1, '\1')};

TEST(VariableStore, ReadsWhatItWrote) {
  const std::string empty = EmptyStore(1000);
  EXPECT_THAT(VariablesOf(empty).value(), IsEmpty());
  const auto one = WithVariables(empty, {kDb});
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->size(), empty.size());
  const auto both = WithVariables(*one, {kSwitch});
  ASSERT_TRUE(both);
  EXPECT_THAT(VariablesOf(*both).value(), ElementsAre(kDb, kSwitch));
  EXPECT_EQ(WithVariables(empty, {kDb, kSwitch}).value(), *both);
}

// Byte for byte, by MdeModulePkg/Include/Guid/VariableFormat.h.
TEST(VariableStore, WritesAuthenticatedRecords) {
  const std::string store = WithVariables(EmptyStore(1000), {kDb}).value();
  const std::string record = store.substr(0x64, 60 + 6 + 5);
  EXPECT_EQ(ReadLe(record, 0, 2), 0x55aaU);
  EXPECT_EQ(ReadLe(record, 2, 1), 0x3fU);
  EXPECT_EQ(ReadLe(record, 4, 4), 0x27U);
  EXPECT_EQ(ReadLe(record, 16, 2), 2025U);
  EXPECT_EQ(ReadLe(record, 36, 4), 6U) << "the name with its NUL";
  EXPECT_EQ(ReadLe(record, 40, 4), 5U);
  EXPECT_EQ(record.substr(44, 16), kImageSecurityDatabase.Bytes());
  EXPECT_EQ(record.substr(60), std::string("d\0b\0\0\0lists", 11));
  EXPECT_EQ(store[0x64 + 71], '\xff') << "nothing is written behind it";
}

TEST(VariableStore, LeavesOutWhatWasDeleted) {
  std::string store = WithVariables(EmptyStore(1000), {kDb, kSwitch}).value();
  store[0x64 + 2] = '\x3d';
  EXPECT_THAT(VariablesOf(store).value(), ElementsAre(kSwitch));
}

TEST(VariableStore, RoomIsBounded) {
  Variable large = kDb;
  large.data = std::string(200, 'x');
  const std::string empty = EmptyStore(28 + 60 + 6 + 200);
  ASSERT_TRUE(WithVariables(empty, {large}));
  large.data += 'x';
  const auto refused = WithVariables(empty, {large});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("no room for the UEFI variable db"));
  EXPECT_FALSE(WithVariables(empty, {kSwitch, kSwitch, kSwitch, kSwitch}));
}

TEST(VariableStore, RefusesWhatIsNone) {
  const std::string good = WithVariables(EmptyStore(1000), {kDb}).value();
  const auto damaged = [&](std::size_t at, const std::string& bytes) {
    std::string store = good;
    store.replace(at, bytes.size(), bytes);
    return VariablesOf(store).has_value();
  };
  EXPECT_TRUE(damaged(0, ""));
  EXPECT_FALSE(damaged(0x10, "x")) << "another volume";
  EXPECT_FALSE(damaged(0x28, "x")) << "no volume";
  EXPECT_FALSE(damaged(0x30, Le(0xffff, 2))) << "a header beyond the end";
  EXPECT_FALSE(damaged(0x48, "y")) << "another format";
  EXPECT_FALSE(damaged(0x58, Le(1001, 4))) << "a store beyond the end";
  EXPECT_FALSE(damaged(0x5c, "x")) << "not formatted";
  EXPECT_FALSE(damaged(0x64 + 36, Le(0x7fffffff, 4))) << "a name beyond the end";
  EXPECT_FALSE(damaged(0x64 + 40, Le(0xffffffff, 4))) << "data beyond the end";
  EXPECT_FALSE(damaged(0x64 + 36, Le(5, 4))) << "half a character";
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{0x30}, std::size_t{0x50}, good.size() - 1})
    EXPECT_FALSE(VariablesOf(good.substr(0, size))) << size;
}

}  // namespace
}  // namespace kassay::efi
