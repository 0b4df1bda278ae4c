// Somebody who signs for fs-verity: a fixture's key with its certificate.
#pragma once

#include <string>
#include <string_view>

#include "suites/fs_verity/merkle_tree.h"
#include "suites/fs_verity/on_medium.h"
#include "suites/support/trust/keyring.h"
#include "suites/support/trust/signer.h"

namespace kassay::verity {

struct Signer : trust::Signer {
  explicit Signer(const std::string& fixture) : trust::Signer(fixture, trust::kSha256) {}

  // A right signature for a file with this content.
  [[nodiscard]] std::string For(std::string_view content, const Setting& setting = {}) const {
    return Over(FormattedDigest(MerkleTree(content, setting).file_digest, setting.algorithm)).Der();
  }
};

// A case with the keyring .fs-verity, empty at first.
class WithKeyring : public OnExt4 {
 protected:
  void SetUp() override {
    OnExt4::SetUp();
    const auto found = trust::SystemKeyring(".fs-verity");
    if (!found) KASSAY_ABSENT("/proc/keys has no .fs-verity");
    ring_ = *found;
    ASSERT_EQ(trust::CountOf(ring_), 0);
  }
  void Trust(const Signer& signer) {
    ASSERT_GT(trust::AddCertificate(signer.certificate, ring_), 0);
  }
  // Enables with this signature and expects the errno and a file as before.
  void ExpectRefused(const std::string& signature, int error, const std::string& what) {
    const std::string path = Plain("refused", content_);
    EXPECT_THAT(Enable(path, {kSha256Algorithm, 4096, "", signature}), IsErrno(error)) << what;
    ExpectPlain(path, content_);
  }
  void ExpectAccepted(const std::string& name, const std::string& signature, Setting setting = {}) {
    setting.signature = signature;
    const std::string path = Plain(name, content_);
    EXPECT_EQ(Enable(path, setting), 0) << name;
    ExpectVerity(path, content_, setting);
    const Metadata kept = ReadMetadata(OpenToRead(path).Get(), FS_VERITY_METADATA_TYPE_SIGNATURE);
    EXPECT_EQ(kept.result, static_cast<long>(signature.size())) << name;
    EXPECT_TRUE(kept.bytes == signature) << name << ": another signature";
  }

  std::string content_ = Content(kUsualSize);
  trust::Serial ring_ = 0;
};

}  // namespace kassay::verity
