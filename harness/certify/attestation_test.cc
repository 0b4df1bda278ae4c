#include "harness/certify/attestation.h"

#include <gmock/gmock.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <filesystem>
#include <memory>

#include "harness/base/file.h"
#include "harness/certify/manifest.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string PrivatePem(EVP_PKEY* raw) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(raw, &EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);  // NOLINT
  return {data, static_cast<size_t>(size)};
}

const Key& TestKey() {
  static const Key key =
      Key::FromPem(PrivatePem(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), true).value();
  return key;
}

Statement Sample() {
  return {{{"image", std::string(64, 'a')}},
          "PASSED",
          {{"manifest.json", std::string(64, 'b')}},
          {"IOU-001", "IOU-002"}};
}

TEST(Base64, OnlyTheCanonicalFormIsTaken) {
  for (const std::string& bytes : {std::string(), std::string("f"), std::string("fo"),
                                   std::string("foo"), std::string("\0\xff", 2)}) {
    EXPECT_EQ(FromBase64(ToBase64(bytes)).value(), bytes);
  }
  EXPECT_EQ(ToBase64("foob"), "Zm9vYg==");  // RFC 4648, section 10
  for (const char* bad : {"Zm9vYg=", "Zm9vYh==", "Zm9v\n", " Zm9v", "Z===", "====", "Zm9!"}) {
    EXPECT_FALSE(FromBase64(bad)) << bad;
  }
}

TEST(Dsse, TheEncodingIsThatOfTheSpecification) {
  // DSSE protocol.md, "Examples".
  EXPECT_EQ(PreAuthenticationEncoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

TEST(Dsse, ASealedStatementVerifiesAndNoByteOfItCanChange) {
  const std::string payload = ToJson(Sample());
  const std::string text = ToJson(Seal(payload, TestKey()).value());
  const auto envelope = EnvelopeFromJson(text);
  ASSERT_TRUE(envelope) << envelope.error().message;
  EXPECT_TRUE(CheckSignature(*envelope, TestKey()));
  EXPECT_EQ(StatementFromJson(envelope->payload).value(), Sample());
  for (size_t i = 0; i < text.size(); ++i) {
    for (const char with : {static_cast<char>(text[i] ^ 1), ' ', 'A'}) {
      std::string changed = text;
      if (changed[i] == with) continue;
      changed[i] = with;
      const auto read = EnvelopeFromJson(changed);
      EXPECT_FALSE(read && CheckSignature(*read, TestKey())) << "byte " << i << " as " << with;
    }
  }
}

TEST(Dsse, AnotherKeyIsNamed) {
  Envelope envelope = Seal(ToJson(Sample()), TestKey()).value();
  envelope.key_id = std::string(64, '0');
  EXPECT_THAT(CheckSignature(envelope, TestKey()).error().message, HasSubstr("not with the key"));
}

TEST(Key, OthersThanEd25519AndMlDsaAreRefused) {
  EXPECT_FALSE(Key::FromPem("rubbish", true));
  const auto key = Key::FromPem(PrivatePem(EVP_RSA_gen(1024)), true);
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().message, HasSubstr("openssl genpkey -algorithm ed25519"));
}

TEST(Key, ThePublicHalfVerifiesAndCannotSign) {
  const Key& key = TestKey();
  const auto half = Key::FromPem(key.PublicPem().value(), false);
  ASSERT_TRUE(half);
  EXPECT_EQ(half->Id().value(), key.Id().value());
  const std::string signature = key.Sign("message").value();
  EXPECT_TRUE(half->Verifies("message", signature));
  EXPECT_FALSE(half->Verifies("massage", signature));
  EXPECT_FALSE(half->Verifies("message", signature.substr(1)));
  EXPECT_FALSE(half->Sign("message"));
}

class ManifestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / "manifest";
    fs::remove_all(folder_);
    ASSERT_TRUE(WriteFileAtomically(folder_ / "a.txt", "a"));
    ASSERT_TRUE(WriteFileAtomically(folder_ / "sub" / "b.txt", "b"));
    manifest_ = BundleManifestOf(folder_).value();
  }
  std::string Check() const {
    const Status status = CheckAgainst(manifest_, folder_);
    return status ? "" : status.error().message;
  }
  fs::path folder_;
  BundleManifest manifest_;
};

TEST_F(ManifestTest, ComesBackFromJson) {
  ASSERT_EQ(manifest_.files.size(), 2U);
  EXPECT_EQ(manifest_.files[1].path, "sub/b.txt");
  EXPECT_EQ(BundleManifestFromJson(ToJson(manifest_)).value(), manifest_);
  EXPECT_EQ(Check(), "");
}

TEST_F(ManifestTest, NamesWhatIsChangedMissingOrTooMuch) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "sub" / "b.txt", "c"));
  EXPECT_EQ(Check(), "sub/b.txt was changed");
  fs::remove_all(folder_ / "sub");
  EXPECT_EQ(Check(), "sub/b.txt is missing");
  ASSERT_TRUE(WriteFileAtomically(folder_ / "sub" / "b.txt", "b"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "c.txt", ""));
  EXPECT_EQ(Check(), "c.txt does not belong to the bundle");
}

TEST_F(ManifestTest, OnlyPlainFilesAndFoldersWithFiles) {
  fs::create_symlink("a.txt", folder_ / "link");
  EXPECT_EQ(Check(), "link is not a plain file");
  fs::remove(folder_ / "link");
  fs::create_directory(folder_ / "empty");
  EXPECT_EQ(Check(), "empty is an empty folder");
}

}  // namespace
}  // namespace kassay
