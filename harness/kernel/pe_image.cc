#include "harness/kernel/pe_image.h"

#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>

#include "harness/base/sha256.h"
#include "harness/base/text/hex.h"
#include "harness/kernel/image_header.h"

namespace kassay {
namespace {

// "PE Format", sections "COFF File Header" and "Optional Header (Image Only)".
constexpr std::size_t kPeOffsetAt = 0x3c;
constexpr std::size_t kCoffBytes = 24;  // with the signature before it
constexpr std::size_t kSectionCountAt = 6;
constexpr std::size_t kOptionalBytesAt = 20;
constexpr std::size_t kSizeOfHeadersAt = 60;
constexpr std::size_t kChecksumAt = 64;
constexpr std::uint16_t kPe32Plus = 0x20b;
constexpr std::size_t kDirectoryCountAt = 108;  // PE32+
constexpr std::size_t kCertificateTableAt = 112 + 4 * 8;
constexpr std::size_t kSectionBytes = 40;

constexpr std::size_t kWinCertificateBytes = 8;
constexpr std::uint16_t kPkcsSignedData = 2;

std::uint64_t Number(std::string_view bytes, std::size_t at, int count) {
  std::uint64_t value = 0;
  for (int i = count - 1; i >= 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return value;
}

struct Range {
  std::size_t at = 0;
  std::size_t bytes = 0;
};

struct Headers {
  std::size_t optional = 0;
  std::size_t sections = 0;
  std::size_t section_count = 0;
  std::size_t header_bytes = 0;  // SizeOfHeaders
  Range certificates;
};

tl::unexpected<Error> Damaged() { return Fail("its PE headers are damaged"); }

// Where the PE signature is; nothing without.
std::optional<std::size_t> PeAt(std::string_view image) {
  if (!image.starts_with("MZ") || image.size() < kPeOffsetAt + 4) return std::nullopt;
  const std::size_t at = Number(image, kPeOffsetAt, 4);
  if (at > image.size() || image.size() - at < kCoffBytes) return std::nullopt;
  if (image.substr(at, 4) != std::string_view("PE\0\0", 4)) return std::nullopt;
  return at;
}

Result<Headers> HeadersOf(std::string_view image) {
  const auto pe = PeAt(image);
  if (!pe) return Fail("it has no EFI stub (CONFIG_EFI_STUB)");
  Headers headers;
  headers.optional = *pe + kCoffBytes;
  headers.section_count = Number(image, *pe + kSectionCountAt, 2);
  const std::size_t optional_bytes = Number(image, *pe + kOptionalBytesAt, 2);
  headers.sections = headers.optional + optional_bytes;
  if (headers.sections + headers.section_count * kSectionBytes > image.size() ||
      optional_bytes < kCertificateTableAt + 8 || Number(image, headers.optional, 2) != kPe32Plus ||
      Number(image, headers.optional + kDirectoryCountAt, 4) < 5)
    return Damaged();
  headers.header_bytes = Number(image, headers.optional + kSizeOfHeadersAt, 4);
  headers.certificates = {Number(image, headers.optional + kCertificateTableAt, 4),
                          Number(image, headers.optional + kCertificateTableAt + 4, 4)};
  const Range& table = headers.certificates;
  if (headers.header_bytes > image.size() ||
      headers.header_bytes < headers.optional + kCertificateTableAt + 8 ||
      table.at > image.size() || table.bytes > image.size() - table.at)
    return Damaged();
  return headers;
}

using Pkcs7 = std::unique_ptr<PKCS7, decltype(&PKCS7_free)>;
using Signers = std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)>;

// Those of one signed message, put behind `found`.
Status TakeSigners(std::string_view message, std::vector<std::string>& found) {
  const auto* at = reinterpret_cast<const unsigned char*>(message.data());
  const Pkcs7 parsed(d2i_PKCS7(nullptr, &at, static_cast<long>(message.size())), &PKCS7_free);
  if (!parsed || PKCS7_type_is_signed(parsed.get()) == 0)
    return Fail("a signature in it is damaged");
  const Signers signers(PKCS7_get0_signers(parsed.get(), nullptr, 0),
                        [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  if (!signers) return Fail("a signature in it does not hold its signer's certificate");
  for (int i = 0; i < sk_X509_num(signers.get()); ++i) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(sk_X509_value(signers.get(), i), &der);
    if (size <= 0) return Fail("a certificate in it is damaged");
    std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    if (std::ranges::find(found, bytes) == found.end()) found.push_back(std::move(bytes));
  }
  return {};
}

}  // namespace

bool HasEfiStub(std::string_view head) { return PeAt(head).has_value(); }

Result<bool> ReadHasEfiStub(const std::filesystem::path& image) {
  std::ifstream in(image, std::ios::binary);
  if (!in) return FailErrno("open " + image.string());
  std::string head(kBzImageHeadBytes, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  return HasEfiStub(head);
}

Result<std::vector<std::string>> SignersOf(std::string_view image) {
  KASSAY_TRY(const Headers headers, HeadersOf(image));
  std::string_view table = image.substr(headers.certificates.at, headers.certificates.bytes);
  std::vector<std::string> found;
  // WIN_CERTIFICATE after WIN_CERTIFICATE, each at a multiple of eight.
  while (!table.empty()) {
    if (table.size() < kWinCertificateBytes) return Fail("a signature in it is cut off");
    const std::size_t size = Number(table, 0, 4);
    if (size < kWinCertificateBytes || size > table.size())
      return Fail("a signature in it is cut off");
    if (Number(table, 6, 2) == kPkcsSignedData)
      KASSAY_CHECK(
          TakeSigners(table.substr(kWinCertificateBytes, size - kWinCertificateBytes), found));
    table.remove_prefix(std::min((size + 7) / 8 * 8, table.size()));
  }
  return found;
}

Result<std::string> AuthenticodeSha256(std::string_view image) {
  KASSAY_TRY(const Headers headers, HeadersOf(image));
  Sha256 hash;
  const std::size_t checksum = headers.optional + kChecksumAt;
  const std::size_t table = headers.optional + kCertificateTableAt;
  hash.Update(image.substr(0, checksum));
  hash.Update(image.substr(checksum + 4, table - checksum - 4));
  hash.Update(image.substr(table + 8, headers.header_bytes - table - 8));
  std::vector<Range> sections;
  for (std::size_t i = 0; i < headers.section_count; ++i) {
    const std::size_t at = headers.sections + i * kSectionBytes;
    const Range section{Number(image, at + 20, 4), Number(image, at + 16, 4)};
    if (section.at > image.size() || section.bytes > image.size() - section.at) return Damaged();
    if (section.bytes > 0) sections.push_back(section);
  }
  std::ranges::stable_sort(sections, {}, &Range::at);
  std::size_t hashed = headers.header_bytes;
  for (const Range& section : sections) {
    hash.Update(image.substr(section.at, section.bytes));
    hashed += section.bytes;
  }
  // What no section holds, without the signatures at the end.
  if (headers.certificates.bytes > image.size() ||
      hashed > image.size() - headers.certificates.bytes)
    return Damaged();
  hash.Update(image.substr(hashed, image.size() - headers.certificates.bytes - hashed));
  return FromHex(hash.Hex()).value();
}

std::string SubjectOf(std::string_view certificate) {
  const auto* at = reinterpret_cast<const unsigned char*>(certificate.data());
  const std::unique_ptr<X509, decltype(&X509_free)> parsed(
      d2i_X509(nullptr, &at, static_cast<long>(certificate.size())), &X509_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), &BIO_free);
  if (!parsed || !text ||
      X509_NAME_print_ex(text.get(), X509_get_subject_name(parsed.get()), 0, XN_FLAG_RFC2253) < 0)
    return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace kassay
