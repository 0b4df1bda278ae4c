#include "harness/certify/bundle.h"

#include <fmt/format.h>

#include <set>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/certify/attestation.h"
#include "harness/certify/bundle_content.h"
#include "harness/certify/manifest.h"
#include "harness/certify/recompute.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr const char* kCertificateName = "certificate.json";

tl::unexpected<Error> Refuse(const std::string& why) { return Fail(why, ExitCode::kNonconformant); }

// A folder that goes away unless it is kept.
class Draft {
 public:
  explicit Draft(fs::path folder) : folder_(std::move(folder)) {}
  ~Draft() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  [[nodiscard]] const fs::path& folder() const { return folder_; }
  Status KeepAs(const fs::path& name) {
    std::error_code error;
    fs::rename(folder_, name, error);
    if (error) return Fail("cannot write " + name.string() + ": " + error.message());
    folder_.clear();
    return {};
  }

 private:
  fs::path folder_;
};

Status Copy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  fs::copy_file(from, to, error);
  if (error) return Fail("cannot copy " + from.string() + ": " + error.message());
  return {};
}

Status WriteContent(const CertifyInput& input, const fs::path& to) {
  KASSAY_CHECK(WriteFileAtomically(to / "results.json", ToJson(input.run)));
  KASSAY_CHECK(WriteFileAtomically(to / "report.html", input.report_html));
  KASSAY_CHECK(Copy(input.run_dir / kJournalName, to / kJournalName));
  if (input.config_file.empty()) return Refuse("the kernel's configuration is not known");
  KASSAY_CHECK(Copy(input.config_file, to / "kernel.config"));
  KASSAY_CHECK(Copy(input.level_file, to / "level.toml"));
  for (const std::string& name : input.run.suites) {
    const fs::path folder = to / "suites" / name;
    KASSAY_CHECK(Copy(input.installation.data_dir / "suites" / name / "requirements.toml",
                      folder / "requirements.toml"));
    KASSAY_TRY(const CaseList list, ListCases(input.installation.libexec_dir / "suites" / name));
    KASSAY_CHECK(WriteFileAtomically(folder / "cases.json", ToJson(list)));
  }
  std::set<std::string> profiles;
  for (const CaseResult& result : input.run.cases) profiles.insert(result.profile);
  for (const std::string& name : profiles) {
    const fs::path file = input.profiles_dir / (name + ".toml");
    std::error_code ignored;  // suites on the host have no profile
    if (fs::exists(file, ignored)) KASSAY_CHECK(Copy(file, to / "profiles" / (name + ".toml")));
  }
  return {};
}

// What the signed statement must say, given the manifest and what follows from the content.
Statement Complete(Statement statement, const BundleManifest& manifest,
                   const std::string& manifest_text) {
  statement.configuration.push_back({kManifestName, Sha256Hex(manifest_text)});
  for (const BundleFile& file : manifest.files) {
    const bool is_configuration = file.path == "level.toml" || file.path == "kernel.config" ||
                                  file.path.rfind("suites/", 0) == 0 ||
                                  file.path.rfind("profiles/", 0) == 0;
    if (is_configuration) statement.configuration.push_back({file.path, file.sha256});
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

  KASSAY_TRY(const Conclusion conclusion, Conclude(bundle));
  KASSAY_TRY(const std::string text, ReadFile(bundle / kCertificateName));
  if (text != conclusion.text) return Refuse("certificate.json does not follow from the results");
  if (!(statement == Complete(conclusion.statement, manifest, manifest_text))) {
    return Refuse("the signed statement does not follow from the results");
  }
  KASSAY_TRY(const std::string key_id, inside.Id());
  return Certificate{conclusion.level.name, conclusion.run.kernel, conclusion.level.must_pass,
                     key_id, inside.Algorithm()};
}

Result<Certificate> MakeBundle(const CertifyInput& input, const Key& key, const fs::path& out) {
  std::error_code error;
  if (fs::exists(out, error)) {
    return Fail(out.string() + " is there already: choose another folder with --out",
                ExitCode::kUsage);
  }
  Draft draft(out.string() + ".draft");
  const fs::path& folder = draft.folder();
  fs::remove_all(folder, error);
  KASSAY_CHECK(WriteContent(input, folder));
  KASSAY_TRY(const Conclusion conclusion, Conclude(folder));
  KASSAY_CHECK(WriteFileAtomically(folder / kCertificateName, conclusion.text));
  KASSAY_TRY(const BundleManifest manifest, BundleManifestOf(folder));
  const std::string manifest_text = ToJson(manifest);
  KASSAY_CHECK(WriteFileAtomically(folder / kManifestName, manifest_text));
  const Statement statement = Complete(conclusion.statement, manifest, manifest_text);
  KASSAY_TRY(const Envelope envelope, Seal(ToJson(statement), key));
  KASSAY_CHECK(WriteFileAtomically(folder / kAttestationName, ToJson(envelope)));
  KASSAY_TRY(const std::string public_pem, key.PublicPem());
  KASSAY_CHECK(WriteFileAtomically(folder / kPublicKeyName, public_pem));
  auto certificate = VerifyBundle(folder, std::nullopt);
  if (!certificate) return Fail(certificate.error().Within("the new bundle does not verify"));
  KASSAY_CHECK(draft.KeepAs(out));
  return certificate;
}

}  // namespace kassay
