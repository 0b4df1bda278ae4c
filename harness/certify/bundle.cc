#include "harness/certify/bundle.h"

#include <fmt/format.h>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/certify/attestation.h"
#include "harness/certify/content.h"
#include "harness/certify/manifest.h"
#include "harness/certify/waiver.h"
#include "harness/verdict/run_record.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr const char* kResultsName = "results.json";
constexpr size_t kMaxResultBytes = size_t{512} << 20;

tl::unexpected<Error> Refuse(const std::string& why) { return Fail(why, ErrorKind::kRefuted); }

Status Copy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  fs::copy(from, to, fs::copy_options::recursive, error);
  if (error) return Fail("cannot copy " + from.string() + ": " + error.message());
  return {};
}

Status CopyRecord(const CertifyInput& input, const fs::path& to) {
  KASSAY_CHECK(Copy(input.run_dir / kJournalName, to / kJournalName));
  KASSAY_CHECK(Copy(input.run_dir / kInputsName, to / kInputsName));
  KASSAY_CHECK(Copy(input.level_file, to / kInputsName / kLevelName));
  // The waivers that a certificate counts are named for it.
  const fs::path waivers = to / kInputsName / kWaiversName;
  std::error_code ignored;
  fs::remove(waivers, ignored);
  return input.waivers_file.empty() ? Status() : Copy(input.waivers_file, waivers);
}

// What the signed statement must say, given the manifest and what follows from the content.
Statement Complete(Statement statement, const BundleManifest& manifest,
                   const std::string& manifest_text) {
  statement.configuration.push_back({kManifestName, Sha256Hex(manifest_text)});
  for (const BundleFile& file : manifest.files) {
    if (file.path.starts_with(std::string(kInputsName) + "/"))
      statement.configuration.push_back({file.path, file.sha256});
  }
  return statement;
}

Result<Key> KeyInside(const fs::path& bundle) {
  KASSAY_TRY(const std::string pem, ReadFile(bundle / kPublicKeyName, size_t{64} << 10));
  auto key = Key::FromPem(pem, /*private_key=*/false);
  if (!key) return Fail(key.error().Within(kPublicKeyName));
  KASSAY_TRY(const std::string canonical, key->PublicPem());
  if (canonical != pem) return Refuse(std::string(kPublicKeyName) + " is not in its one form");
  return key;
}

// Into a folder that is not there yet.
Result<Certificate> WriteBundle(const CertifyInput& input, const Key& key, const fs::path& folder) {
  KASSAY_CHECK(CopyRecord(input, folder));
  KASSAY_TRY(const CertificateContent content, ContentOf(folder, input.allow_waived));
  KASSAY_CHECK(WriteFileAtomically(folder / kResultsName, ToJson(content.run)));
  KASSAY_CHECK(WriteFileAtomically(folder / "report.html", input.report_html(content.run)));
  KASSAY_CHECK(WriteFileAtomically(folder / kCertificateName, content.text));
  KASSAY_TRY(const BundleManifest manifest, BundleManifestOf(folder));
  const std::string manifest_text = ToJson(manifest);
  KASSAY_CHECK(WriteFileAtomically(folder / kManifestName, manifest_text));
  const Statement statement = Complete(content.statement, manifest, manifest_text);
  KASSAY_TRY(const Envelope envelope, Seal(ToJson(statement), key));
  KASSAY_CHECK(WriteFileAtomically(folder / kAttestationName, ToJson(envelope)));
  KASSAY_TRY(const std::string public_pem, key.PublicPem());
  KASSAY_CHECK(WriteFileAtomically(folder / kPublicKeyName, public_pem));
  auto certificate = VerifyBundle(folder, std::nullopt);
  if (!certificate) return Fail(certificate.error().Within("the new bundle does not verify"));
  return certificate;
}

}  // namespace

Result<Certificate> VerifyBundle(const fs::path& bundle, const std::optional<Key>& given) {
  KASSAY_TRY(const std::string envelope_text, ReadFile(bundle / kAttestationName));
  KASSAY_TRY(const Envelope envelope, EnvelopeFromJson(envelope_text));
  KASSAY_TRY(const Key inside, KeyInside(bundle));
  if (given) KASSAY_CHECK(CheckSignature(envelope, *given));
  KASSAY_CHECK(CheckSignature(envelope, inside));
  KASSAY_TRY(const Statement statement, StatementFromJson(envelope.payload));

  KASSAY_TRY(const std::string manifest_text, ReadFile(bundle / kManifestName));
  const DigestOf signed_manifest{kManifestName, Sha256Hex(manifest_text)};
  if (statement.configuration.empty() || !(statement.configuration.front() == signed_manifest)) {
    return Refuse("manifest.json is not the one that was signed");
  }
  KASSAY_TRY(const BundleManifest manifest, BundleManifestFromJson(manifest_text));
  KASSAY_CHECK(CheckAgainst(manifest, bundle));

  KASSAY_TRY(const std::string text, ReadFile(bundle / kCertificateName));
  KASSAY_TRY(const std::optional<int> allowed, AllowedWaivers(text));
  KASSAY_TRY(const CertificateContent content, ContentOf(bundle, allowed));
  KASSAY_TRY(const std::string results, ReadFile(bundle / kResultsName, kMaxResultBytes));
  if (results != ToJson(content.run)) {
    KASSAY_TRY(const RunResult claimed, RunResultFromJson(results));
    KASSAY_CHECK(CheckClaims(content.run, claimed));
    return Refuse("results.json is not in kassay's own form");
  }
  if (text != content.text) return Refuse("certificate.json does not follow from the results");
  if (!(statement == Complete(content.statement, manifest, manifest_text))) {
    return Refuse("the signed statement does not follow from the results");
  }
  KASSAY_TRY(const std::string key_id, inside.Id());
  return Certificate{content.level.name,
                     content.title,
                     content.run.kernel,
                     content.run.environment,
                     content.report.passed,
                     content.report.waived,
                     key_id,
                     inside.Algorithm()};
}

Result<Certificate> MakeBundle(const CertifyInput& input, const Key& key, const fs::path& out) {
  std::error_code error;
  if (fs::exists(out, error)) {
    return Fail(out.string() + " is there already: choose another folder with --out",
                ErrorKind::kUsage);
  }
  const fs::path draft = out.string() + ".draft";
  fs::remove_all(draft, error);
  auto certificate = WriteBundle(input, key, draft);
  if (certificate) {
    fs::rename(draft, out, error);
    if (!error) return certificate;
    certificate = Fail("cannot write " + out.string() + ": " + error.message());
  }
  fs::remove_all(draft, error);
  return certificate;
}

}  // namespace kassay
