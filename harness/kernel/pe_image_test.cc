#include "harness/kernel/pe_image.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <memory>

#include "harness/base/sha256.h"
#include "harness/base/text/hex.h"

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void Put(std::string& image, std::size_t at, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    image[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i) & 0xff);
}

constexpr std::size_t kPe = 0x40;
constexpr std::size_t kOptional = kPe + 24;
constexpr std::size_t kChecksum = kOptional + 64;
constexpr std::size_t kCertificates = kOptional + 112 + 32;
constexpr std::size_t kSections = kOptional + 160;
constexpr std::size_t kHeaders = 0x200;

// Two sections, the second named first, and ten bytes that no section holds.
std::string SmallPe() {
  std::string image(kHeaders, '\0');
  image.replace(0, 2, "MZ");
  Put(image, 0x3c, kPe, 4);
  image.replace(kPe, 2, "PE");
  Put(image, kPe + 6, 2, 2);
  Put(image, kPe + 20, 160, 2);
  Put(image, kOptional, 0x20b, 2);
  Put(image, kOptional + 60, kHeaders, 4);
  Put(image, kChecksum, 0x12345678, 4);
  Put(image, kOptional + 108, 6, 4);
  Put(image, kSections + 16, 100, 4);
  Put(image, kSections + 20, kHeaders + 50, 4);
  Put(image, kSections + 40 + 16, 50, 4);
  Put(image, kSections + 40 + 20, kHeaders, 4);
  return image + std::string(50, 'a') + std::string(100, 'b') + std::string(10, 'c');
}

std::string ExpectedDigest(const std::string& image, std::size_t end) {
  return Sha256Hex(image.substr(0, kChecksum) +
                   image.substr(kChecksum + 4, kCertificates - kChecksum - 4) +
                   image.substr(kCertificates + 8, end - kCertificates - 8));
}

std::string DigestOf(const std::string& image) {
  const auto digest = AuthenticodeSha256(image);
  return digest ? ToHex(*digest) : digest.error().message;
}

// A signer, and a message in its name.
class Signer {
 public:
  explicit Signer(const char* name)
      : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free), certificate_(X509_new(), &X509_free) {
    X509* x509 = certificate_.get();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    X509_set_pubkey(x509, key_.get());
    X509_sign(x509, key_.get(), EVP_sha256());
  }
  [[nodiscard]] std::string Certificate() const {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate_.get(), &der);
    return Take(der, size);
  }
  [[nodiscard]] std::string Message() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> content(BIO_new_mem_buf("content", 7),
                                                            &BIO_free);
    const std::unique_ptr<PKCS7, decltype(&PKCS7_free)> message(
        PKCS7_sign(certificate_.get(), key_.get(), nullptr, content.get(), PKCS7_BINARY),
        &PKCS7_free);
    unsigned char* der = nullptr;
    const int size = i2d_PKCS7(message.get(), &der);
    return Take(der, size);
  }

 private:
  static std::string Take(unsigned char* der, int size) {
    std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return bytes;
  }
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
};

std::string Signed(std::string image, const std::vector<std::string>& messages) {
  const std::size_t at = image.size();
  for (const std::string& message : messages) {
    std::string entry(8, '\0');
    Put(entry, 0, 8 + message.size(), 4);
    Put(entry, 4, 0x200, 2);
    Put(entry, 6, 2, 2);
    image += entry + message;
    image.resize((image.size() - at + 7) / 8 * 8 + at, '\0');
  }
  Put(image, kCertificates, at, 4);
  Put(image, kCertificates + 4, image.size() - at, 4);
  return image;
}

TEST(PeImage, IsWhatHasAnEfiStub) {
  EXPECT_TRUE(HasEfiStub(SmallPe()));
  std::string no_pe = SmallPe();
  no_pe[kPe] = 'X';
  for (const std::string& image :
       {no_pe, std::string("MZ"), std::string("\177ELF"), std::string()}) {
    EXPECT_FALSE(HasEfiStub(image));
    EXPECT_THAT(DigestOf(image), HasSubstr("no EFI stub"));
    EXPECT_FALSE(SignersOf(image));
  }
}

TEST(PeImage, IsKnownByADigestThatLeavesItsSignaturesOut) {
  const std::string plain = SmallPe();
  EXPECT_EQ(DigestOf(plain), ExpectedDigest(plain, plain.size()));
  std::string checked = plain;
  Put(checked, kChecksum, 7, 4);
  EXPECT_EQ(DigestOf(checked), DigestOf(plain));
  const std::string with_signature = Signed(plain, {Signer("vendor").Message()});
  EXPECT_EQ(DigestOf(with_signature), ExpectedDigest(with_signature, plain.size()));
  for (const std::size_t at : {std::size_t{2}, kHeaders, plain.size() - 1}) {
    std::string changed = plain;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_NE(DigestOf(changed), DigestOf(plain)) << at;
  }
}

TEST(PeImage, NamesItsSigners) {
  EXPECT_THAT(SignersOf(SmallPe()).value(), IsEmpty());
  const Signer vendor("vendor");
  const Signer other("other");
  const std::string image =
      Signed(SmallPe(), {vendor.Message(), other.Message(), vendor.Message()});
  EXPECT_THAT(SignersOf(image).value(), ElementsAre(vendor.Certificate(), other.Certificate()));
  EXPECT_EQ(SubjectOf(vendor.Certificate()), "CN=vendor");
  EXPECT_EQ(SubjectOf("no certificate"), "");
}

TEST(PeImage, DamagedIsRefused) {
  const std::string good = Signed(SmallPe(), {Signer("vendor").Message()});
  const auto damaged = [&](std::size_t at, std::uint64_t value, int bytes) {
    std::string image = good;
    Put(image, at, value, bytes);
    return image;
  };
  const std::size_t table = SmallPe().size();
  EXPECT_FALSE(SignersOf(damaged(table, 7, 4))) << "smaller than its own header";
  EXPECT_FALSE(SignersOf(damaged(table, 1 << 20, 4))) << "a signature beyond the table";
  EXPECT_FALSE(SignersOf(damaged(table + 8, 0, 4))) << "no PKCS#7";
  EXPECT_FALSE(SignersOf(damaged(kCertificates, 0xffffffff, 4))) << "a table beyond the end";
  EXPECT_FALSE(AuthenticodeSha256(damaged(kCertificates + 4, 0xffffffff, 4)));
  EXPECT_FALSE(AuthenticodeSha256(damaged(kOptional, 0x10b, 2))) << "PE32";
  EXPECT_FALSE(AuthenticodeSha256(damaged(kOptional + 60, 1 << 20, 4))) << "headers";
  EXPECT_FALSE(AuthenticodeSha256(damaged(kOptional + 60, 0x60, 4))) << "hardly any headers";
  EXPECT_FALSE(AuthenticodeSha256(damaged(kPe + 6, 0xffff, 2))) << "sections";
  EXPECT_FALSE(AuthenticodeSha256(damaged(kSections + 20, 1 << 20, 4))) << "a section";
  EXPECT_FALSE(AuthenticodeSha256(damaged(kOptional + 108, 4, 4))) << "no table of signatures";
  EXPECT_TRUE(AuthenticodeSha256(good));
}

}  // namespace
}  // namespace kassay
