#include "harness/kernel/rpm_header.h"

#include <cstdint>
#include <fstream>
#include <optional>

namespace kassay {
namespace {

constexpr size_t kLeadBytes = 96;
constexpr size_t kIntroBytes = 16;  // magic, version, reserved, count of entries, size of the store
constexpr size_t kEntryBytes = 16;  // tag, type, offset, count
constexpr size_t kMaxHeaderBytes = size_t{32} << 20;
constexpr std::string_view kHeaderMagic = "\x8e\xad\xe8\x01";

enum Tag : std::uint32_t {
  kName = 1000,
  kVersion = 1001,
  kRelease = 1002,
  kEpoch = 1003,
  kVendor = 1011,
  kArch = 1022
};
enum Type : std::uint32_t { kInt32 = 4, kString = 6 };

// Big-endian; `at` + 4 must lie within.
std::uint32_t Word(std::string_view bytes, size_t at) {
  std::uint32_t word = 0;
  for (size_t i = 0; i < 4; ++i) word = word << 8 | static_cast<unsigned char>(bytes[at + i]);
  return word;
}

struct Section {
  std::string_view index;
  std::string_view store;
  size_t bytes = 0;  // of all of it
};

Result<Section> SectionAt(std::string_view bytes) {
  if (bytes.size() < kIntroBytes || !bytes.starts_with(kHeaderMagic))
    return Fail("damaged: no rpm header where one should be");
  const size_t index = size_t{Word(bytes, 8)} * kEntryBytes;
  const size_t store = Word(bytes, 12);
  const size_t room = bytes.size() - kIntroBytes;
  if (index > room || store > room - index)
    return Fail("damaged: its header is longer than the file, or than 32 MiB");
  return Section{bytes.substr(kIntroBytes, index), bytes.substr(kIntroBytes + index, store),
                 kIntroBytes + index + store};
}

// Where the first value of a tag begins in the store.
std::optional<size_t> Find(const Section& header, Tag tag, Type type) {
  for (size_t at = 0; at < header.index.size(); at += kEntryBytes) {
    const size_t offset = Word(header.index, at + 8);
    if (Word(header.index, at) == tag && Word(header.index, at + 4) == type &&
        offset < header.store.size())
      return offset;
  }
  return std::nullopt;
}

std::string Text(const Section& header, Tag tag) {
  constexpr size_t kMost = 256;
  const auto at = Find(header, tag, kString);
  if (!at) return {};
  const std::string_view rest = header.store.substr(*at, kMost);
  return std::string(rest.substr(0, rest.find('\0')));
}

}  // namespace

Result<RpmHeader> ParseRpmHeader(std::string_view bytes) {
  if (bytes.size() < kLeadBytes) return Fail("damaged: it ends within its lead");
  KASSAY_TRY(const Section signature, SectionAt(bytes.substr(kLeadBytes)));
  const size_t padded = (signature.bytes + 7) / 8 * 8;
  if (padded > bytes.size() - kLeadBytes) return Fail("damaged: it ends within its signature");
  KASSAY_TRY(const Section header, SectionAt(bytes.substr(kLeadBytes + padded)));
  RpmHeader out;
  out.name = Text(header, kName);
  out.vendor = Text(header, kVendor);
  out.architecture = Text(header, kArch);
  if (out.name.empty()) return Fail("damaged: its header has no name");
  const auto epoch = Find(header, kEpoch, kInt32);
  if (epoch && header.store.size() - *epoch >= 4 && Word(header.store, *epoch) != 0)
    out.version = std::to_string(Word(header.store, *epoch)) + ":";
  out.version += Text(header, kVersion) + "-" + Text(header, kRelease);
  return out;
}

Result<RpmHeader> ReadRpmHeader(const std::filesystem::path& package) {
  std::ifstream in(package, std::ios::binary);
  if (!in) return FailErrno("cannot read " + package.string());
  std::string bytes(kMaxHeaderBytes, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(in.gcount()));
  return ParseRpmHeader(bytes);
}

}  // namespace kassay
