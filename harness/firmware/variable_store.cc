#include "harness/firmware/variable_store.h"

namespace kassay::efi {
namespace {

// EFI_FIRMWARE_VOLUME_HEADER (Platform Initialization 1.7, volume 3, section 3.2.1).
constexpr std::size_t kVolumeGuidAt = 0x10;
constexpr std::size_t kVolumeSignatureAt = 0x28;
constexpr std::size_t kHeaderLengthAt = 0x30;
constexpr std::size_t kVolumeHeaderBytes = 0x38;  // without its block map
// gEfiSystemNvDataFvGuid
constexpr Guid kNvData{
    0xfff12b8d, 0x7696, 0x4c8b, {0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50}};

// VARIABLE_STORE_HEADER with gEfiAuthenticatedVariableGuid.
constexpr std::size_t kStoreHeaderBytes = 28;
constexpr Guid kAuthenticated{
    0xaaf32c78, 0x947b, 0x439a, {0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92}};
constexpr std::string_view kFormattedHealthy = "\x5a\xfe";

// AUTHENTICATED_VARIABLE_HEADER.
constexpr std::size_t kRecordBytes = 60;
constexpr std::uint16_t kStartId = 0x55aa;
constexpr std::uint8_t kAdded = 0x3f;  // VAR_ADDED; deletion clears further bits
constexpr std::size_t kAlignment = 4;

std::size_t Aligned(std::size_t at) { return (at + kAlignment - 1) / kAlignment * kAlignment; }

// Where the records lie: in the file, from `begin` up to `end`, the first free byte at `free`.
struct Extent {
  std::size_t begin = 0;
  std::size_t free = 0;
  std::size_t end = 0;
};

Result<Extent> Find(std::string_view store) {
  if (store.size() < kVolumeHeaderBytes || store.substr(kVolumeGuidAt, 16) != kNvData.Bytes() ||
      store.substr(kVolumeSignatureAt, 4) != "_FVH")
    return Fail("not a store of UEFI variables");
  const std::size_t header = ReadLe(store, kHeaderLengthAt, 2);
  if (header < kVolumeHeaderBytes || header > store.size() ||
      store.size() - header < kStoreHeaderBytes)
    return Fail("a store of UEFI variables that is cut off");
  const std::string_view own = store.substr(header);
  const std::size_t size = ReadLe(own, 16, 4);
  if (own.substr(0, 16) != kAuthenticated.Bytes() || own.substr(20, 2) != kFormattedHealthy)
    return Fail("a store of UEFI variables in another format");
  if (size < kStoreHeaderBytes || size > own.size())
    return Fail("a store of UEFI variables that is cut off");
  const std::size_t begin = Aligned(header + kStoreHeaderBytes);
  return Extent{begin, begin, header + size};
}

struct Records {
  Extent extent;
  std::vector<Variable> live;
};

Result<Records> Walk(std::string_view store) {
  KASSAY_TRY(const Extent found, Find(store));
  Records records{found, {}};
  std::size_t& at = records.extent.free;
  while (at + kRecordBytes <= found.end && ReadLe(store, at, 2) == kStartId) {
    const std::size_t name_bytes = ReadLe(store, at + 36, 4);
    const std::size_t data_bytes = ReadLe(store, at + 40, 4);
    const std::size_t room = found.end - at - kRecordBytes;
    if (name_bytes > room || data_bytes > room - name_bytes || name_bytes % 2 != 0)
      return Fail("a store of UEFI variables with a damaged record");
    Variable variable;
    for (std::size_t i = 0; i < name_bytes; i += 2) {
      if (const char c = store[at + kRecordBytes + i]; c != '\0') variable.name += c;
    }
    variable.attributes = static_cast<std::uint32_t>(ReadLe(store, at + 4, 4));
    variable.vendor = store.substr(at + 44, 16);
    variable.data = store.substr(at + kRecordBytes + name_bytes, data_bytes);
    if (static_cast<std::uint8_t>(store[at + 2]) == kAdded)
      records.live.push_back(std::move(variable));
    at = Aligned(at + kRecordBytes + name_bytes + data_bytes);
  }
  return records;
}

std::string Record(const Variable& variable) {
  // EFI_TIME 2025-01-01; of variables that are not authenticated by time all zero.
  const bool timed = (variable.attributes & kTimeBasedAuthenticated) != 0;
  const std::string time =
      timed ? Le(2025, 2) + Le(1, 1) + Le(1, 1) + std::string(12, '\0') : std::string(16, '\0');
  const std::string name = Char16(variable.name);
  return Le(kStartId, 2) + Le(kAdded, 1) + Le(0, 1) + Le(variable.attributes, 4) +
         Le(0, 8) /* MonotonicCount */ + time + Le(0, 4) /* PubKeyIndex */ + Le(name.size(), 4) +
         Le(variable.data.size(), 4) + variable.vendor + name + variable.data;
}

}  // namespace

Result<std::vector<Variable>> VariablesOf(std::string_view store) {
  KASSAY_TRY(Records records, Walk(store));
  return std::move(records.live);
}

Result<std::string> WithVariables(std::string_view store, const std::vector<Variable>& variables) {
  KASSAY_TRY(const Records records, Walk(store));
  std::string written(store);
  std::size_t at = records.extent.free;
  for (const Variable& variable : variables) {
    const std::string record = Record(variable);
    if (at > records.extent.end || record.size() > records.extent.end - at)
      return Fail("no room for the UEFI variable " + variable.name);
    written.replace(at, record.size(), record);
    at = Aligned(at + record.size());
  }
  return written;
}

}  // namespace kassay::efi
