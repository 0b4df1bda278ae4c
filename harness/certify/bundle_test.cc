// A certificate from a run over made-up machines: what it takes, what is refused, and that no byte
// of it can change unnoticed.
#include "harness/certify/bundle.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <fstream>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/certify/attestation.h"
#include "harness/certify/manifest.h"
#include "harness/result/json_identity.h"
#include "harness/run/run.h"
#include "harness/target/lab.h"
#include "harness/verdict/conclude.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kCatalogue = R"([suite]
name = "ring"
title = "Rings"
profile = "shipped"
[[feature]]
id = "lists"
title = "Lists"
since = "7.0"
kconfig = ["CONFIG_RING"]
[[requirement]]
id = "R-1"
text = "Denies."
source = "x.c"
feature = "lists"
[[requirement]]
id = "R-2"
text = "Allows."
source = "x.c"
feature = "lists"
)";
constexpr const char* kLevel =
    "[level]\nname = \"core\"\ntitle = \"Core\"\ntext = \"All.\"\nmust_pass = [\"R-*\"]\n";
constexpr const char* kProfile = "description = \"as shipped\"\nboot = \"bzimage\"\n";

std::string Record(const std::string& type, const std::string& name, const std::string& more = "") {
  return fmt::format(R"({{"type":"{}","case":"{}"{}}})", type, name, more);
}

class FakeGuest : public Guest {
 public:
  explicit FakeGuest(std::string failing) : failing_(std::move(failing)) {}
  Result<GuestOutcome> Run(const GuestCommand& command,
                           const std::function<void(const std::string&)>&) override {
    const std::string name = command.log_name.substr(command.log_name.find('.') + 1);
    GuestOutcome outcome;
    outcome.end = GuestOutcome::End::kExited;
    outcome.console = "console of " + name;
    if (name == "Probe") {
      outcome.records = {R"({"type":"feature","feature":"lists","present":true,"detail":"seen"})"};
    } else if (name == failing_) {
      outcome.status = 1;
      outcome.records = {Record("case_start", name),
                         Record("failure", name, R"(,"file":"ring.cc","line":3,"message":"no")"),
                         Record("case_end", name, R"(,"passed":false)")};
    } else {
      outcome.records = {Record("case_start", name), Record("case_end", name, R"(,"passed":true)")};
    }
    return outcome;
  }

 private:
  std::string failing_;
};

class FakeLab : public Lab {
 public:
  std::string failing;
  std::string boot = "bzimage";

  Status Ready(const std::set<std::string>&) const override { return {}; }
  Result<std::unique_ptr<Guest>> Fresh(const std::string&, const NoteSink&) override {
    return std::make_unique<FakeGuest>(failing);
  }
  std::string SuitePath(const std::string&, const std::string& suite) const override {
    return "/kassay/suites/" + suite;
  }
  std::map<std::string, TargetFacts> Facts() const override {
    TargetFacts facts;
    facts.emulator = "7.2.22";
    facts.accelerator = "tcg";
    facts.cpu = "max,+svm";
    facts.command_line = "console=ttyS0";
    facts.boot = boot;
    return {{"shipped", facts}};
  }
};

Key NewKey() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);  // NOLINT
  return Key::FromPem({data, static_cast<size_t>(size)}, true).value();
}

class BundleTest : public ::testing::Test {
 protected:
  BundleTest() {
    std::string name = ::testing::TempDir() + "/bundle-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    Write("data/suites/ring/requirements.toml", kCatalogue);
    Write("data/vm/profiles/shipped.toml", kProfile);
    Write("data/levels/core.toml", kLevel);
    WriteSuite({CaseJson("Ring.Denies", "R-1"), CaseJson("Ring.Allows", "R-2")});
  }
  ~BundleTest() override { fs::remove_all(dir_); }

  static std::string CaseJson(const std::string& name, const std::string& requirement,
                              const std::string& more = "") {
    return fmt::format(R"({{"case":"{}","requirements":["{}"],"detection":false,"timeout_s":5,)"
                       R"("profile":"","expects_panic":"","file":"f","line":1{}}})",
                       name, requirement, more);
  }
  void WriteSuite(const std::vector<std::string>& cases) const {
    Write("libexec/suites/ring",
          fmt::format("#!/bin/sh\necho '{{\"suite\":\"ring\",\"features\":[\"lists\"],"
                      "\"prepares\":true,\"cases\":[{}]}}'\n",
                      fmt::join(cases, ",")));
    ::chmod((dir_ / "libexec/suites/ring").c_str(), 0755);
  }
  void Write(const std::string& path, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomically(dir_ / path, text));
  }

  Result<Certificate> Make() {
    Kernel kernel;
    kernel.identity.spec = "debian:7.3.4";
    kernel.identity.version = "7.3.4";
    kernel.identity.release = "7.3.4-test";
    kernel.identity.image_sha256 = std::string(64, 'a');
    kernel.identity.config_sha256 = Sha256Hex("CONFIG_RING=y\n");
    kernel.config = KernelConfig::Parse("CONFIG_RING=y\n").value();
    kernel.config_text = config_text_;
    RunOptions options;
    options.out_dir = dir_ / "run";
    options.installation.data_dir = dir_ / "data";
    options.installation.libexec_dir = dir_ / "libexec";
    options.installation.cache_dir = dir_ / "cache";
    options.jobs = 1;
    options.filters = filters_;
    options.repeat = repeat_;
    RunObserver observer;
    fs::remove_all(options.out_dir);
    KASSAY_TRY(run_, RunKernel(lab_, kernel, options, observer));
    CertifyInput input;
    input.run_dir = options.out_dir;
    input.level_file = dir_ / "data/levels/core.toml";
    if (!waivers_.empty()) {
      Write("waivers.toml", waivers_);
      input.waivers_file = dir_ / "waivers.toml";
    }
    input.allow_waived = allow_waived_;
    input.report_html = [](const RunResult&) { return "<!doctype html>"; };
    return MakeBundle(input, key_, Bundle());
  }
  // The reason for which nothing was made; nothing must be left then.
  std::string WhyNot() {
    const auto certificate = Make();
    EXPECT_FALSE(fs::exists(Bundle()) && !certificate);
    EXPECT_FALSE(fs::exists(Bundle().string() + ".draft"));
    return certificate ? "made" : certificate.error().message;
  }
  fs::path Bundle() const { return dir_ / "bundle"; }
  std::string CertificateText() const { return ReadFile(Bundle() / "certificate.json").value(); }

  // What a dishonest signer can do: changes a file and signs everything anew.
  void Forge(const std::string& file, const std::string& was, const std::string& is) const {
    std::string text = ReadFile(Bundle() / file).value();
    ASSERT_NE(text.find(was), std::string::npos) << was << " in " << text;
    text.replace(text.find(was), was.size(), is);
    Write("bundle/" + file, text);
    const std::string manifest = ToJson(BundleManifestOf(Bundle()).value());
    Write("bundle/manifest.json", manifest);
    const auto envelope = EnvelopeFromJson(ReadFile(Bundle() / kAttestationName).value());
    Statement statement = StatementFromJson(envelope->payload).value();
    for (DigestOf& one : statement.configuration)
      one.sha256 = Sha256HexOfFile(Bundle() / one.name).value();
    Write(std::string("bundle/") + kAttestationName, ToJson(Seal(ToJson(statement), key_).value()));
  }
  std::string Refusal() const {
    const auto verified = VerifyBundle(Bundle(), std::nullopt);
    return verified ? "verified" : verified.error().message;
  }

  fs::path dir_;
  FakeLab lab_;
  std::vector<std::string> filters_;
  int repeat_ = 1;
  std::string config_text_ = "CONFIG_RING=y\n";
  std::string waivers_;
  std::optional<int> allow_waived_;
  RunResult run_;
  Key key_ = NewKey();
};

TEST_F(BundleTest, ACertificateSaysWhatHoldsAndVerifies) {
  const auto made = Make();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->passed, ElementsAre("R-1", "R-2"));
  const auto verified = VerifyBundle(Bundle(), std::nullopt);
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(verified->level, "core");
  EXPECT_EQ(verified->kernel.release, "7.3.4-test");
  EXPECT_EQ(verified->key_id, key_.Id().value());
  const auto by_key = VerifyBundle(Bundle(), Key::FromPem(key_.PublicPem().value(), false).value());
  EXPECT_TRUE(by_key) << by_key.error().message;
}

TEST_F(BundleTest, NoByteOfAnyFileCanChange) {
  ASSERT_TRUE(Make());
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(Bundle())) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  EXPECT_GE(files.size(), 10U);
  for (const fs::path& file : files) {
    const std::string whole = ReadFile(file).value();
    const size_t step = std::max<size_t>(1, whole.size() / 10);
    for (size_t i = 0; i < whole.size(); i += step) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      std::ofstream(file, std::ios::binary) << changed;  // no fsync: this is done often
      EXPECT_FALSE(VerifyBundle(Bundle(), std::nullopt)) << file << " byte " << i;
    }
    ASSERT_TRUE(WriteFileAtomically(file, whole));
  }
  EXPECT_TRUE(VerifyBundle(Bundle(), std::nullopt));
}

TEST_F(BundleTest, AMissingAndAnExtraFileAreNamed) {
  ASSERT_TRUE(Make());
  ASSERT_TRUE(WriteFileAtomically(Bundle() / "extra", "x"));
  EXPECT_THAT(VerifyBundle(Bundle(), std::nullopt).error().message, HasSubstr("extra does not"));
  fs::remove(Bundle() / "extra");
  fs::remove(Bundle() / "report.html");
  EXPECT_THAT(VerifyBundle(Bundle(), std::nullopt).error().message, HasSubstr("is missing"));
}

TEST_F(BundleTest, AnotherKeyIsRefused) {
  ASSERT_TRUE(Make());
  const Key other = NewKey();
  const auto verified =
      VerifyBundle(Bundle(), Key::FromPem(other.PublicPem().value(), false).value());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().kind, ErrorKind::kRefuted);
  EXPECT_THAT(verified.error().message, HasSubstr("not with the key given"));
}

TEST_F(BundleTest, AFailingMustPassRequirementIsRefusedByName) {
  lab_.failing = "Ring.Denies";
  EXPECT_THAT(WhyNot(), HasSubstr("1 of 2 must-pass requirements do not hold: R-1"));
}

TEST_F(BundleTest, WhatTheJournalDoesNotSayIsRefused) {
  ASSERT_TRUE(Make());
  Forge("results.json", R"("verdict": "pass")", R"("verdict": "fail")");
  EXPECT_THAT(Refusal(), HasSubstr("ring.Ring.Allows is 'pass' by the journal and 'fail'"));
  fs::remove_all(Bundle());
  ASSERT_TRUE(Make());
  Forge("results.json", R"("qemu_version": "7.2.22")", R"("qemu_version": "9.0.00")");
  EXPECT_THAT(Refusal(), HasSubstr("results.json says what the journal does not"));
  Forge("results.json", "9.0.00", "7.2.22");
  EXPECT_EQ(Refusal(), "verified");
  Forge("certificate.json", R"("title": "Core")", R"("title": "Gold")");
  EXPECT_THAT(Refusal(), HasSubstr("certificate.json does not follow"));
}

// The run and whoever holds its record come to the same, word for word.
TEST_F(BundleTest, TheRunsResultsAreThoseOfItsRecord) {
  lab_.failing = "Ring.Denies";
  repeat_ = 3;
  EXPECT_FALSE(Make());
  const auto record = ReadRunRecord(dir_ / "run");
  ASSERT_TRUE(record) << record.error().message;
  const auto again = Conclude(*record);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(ToJson(*again), ToJson(run_));
  EXPECT_EQ(run_.cases.size(), 2U);
  EXPECT_EQ(run_.cases[1].attempts, 3);
}

TEST_F(BundleTest, ACaseThatIsNotThereIsRefused) {
  filters_ = {"Ring.Denies"};
  EXPECT_THAT(WhyNot(), HasSubstr("the run left out cases"));
  filters_.clear();
  ASSERT_TRUE(Make());
  const std::string journal = ReadFile(Bundle() / "journal.jsonl").value();
  const size_t from = journal.find(R"({"type":"case")");
  Forge("journal.jsonl", journal.substr(from, journal.find('\n', from) + 1 - from), "");
  EXPECT_THAT(Refusal(), HasSubstr("was not run: the journal lacks it"));
}

TEST_F(BundleTest, OnlyTheVendorsOwnBootIsCertified) {
  lab_.boot = "direct";
  EXPECT_THAT(WhyNot(), HasSubstr("under the profile 'shipped': --boot bzimage is needed"));
}

TEST_F(BundleTest, ALevelSaysWhatAProfileMayChangeAndTheCertificateWhatItDid) {
  Write("data/vm/profiles/shipped.toml", std::string(kProfile) +
                                             "command_line = [\"lsm=none\"]\nmodules = [\"loop\"]\n"
                                             "image_modules = [\"xcbc\"]\nfiles = [\"keys\"]\n");
  EXPECT_THAT(WhyNot(), HasSubstr("level core does not accept the word 'lsm=none', by which the "
                                  "profile 'shipped' changes the vendor's boot (2 cases)"));
  const std::string accepts = std::string(kLevel) + "[accepts]\ncommand_line = [\"lsm=none\"]\n";
  Write("data/levels/core.toml", accepts);
  EXPECT_THAT(WhyNot(), HasSubstr("the module 'loop'"));
  Write("data/levels/core.toml", accepts + "modules = [\"loop\"]\n");
  EXPECT_THAT(WhyNot(), HasSubstr("the module 'xcbc'"));
  Write("data/levels/core.toml", accepts + "modules = [\"loop\", \"xcbc\"]\n");
  EXPECT_THAT(WhyNot(), HasSubstr("the file 'keys'"));
  Write("data/levels/core.toml", accepts + "modules = [\"loop\", \"xcbc\"]\nfiles = [\"keys\"]\n");
  ASSERT_TRUE(Make());
  const Json said = Json::parse(CertificateText())["changes"];
  EXPECT_EQ(said, Json::parse(R"([{"profile":"shipped","cases":2,"command_line":["lsm=none"],
                                   "modules":["loop","xcbc"],"files":["keys"]}])"));
  // The forged level accepts more than the signed one did; whoever reads it sees that.
  Forge("inputs/profiles/shipped.toml", "lsm=none", "lsm=evil");
  EXPECT_THAT(Refusal(), HasSubstr("does not accept the word 'lsm=evil'"));
}

TEST_F(BundleTest, TheMachineIsInTheCertificate) {
  ASSERT_TRUE(Make());
  const Json environment = Json::parse(CertificateText())["environment"];
  EXPECT_EQ(environment["accelerator"], "tcg");
  EXPECT_EQ(environment["cpu"], "max,+svm");
}

TEST_F(BundleTest, CasesOnTheHostAreCertifiedToo) {
  WriteSuite(
      {CaseJson("Ring.Denies", "R-1", R"(,"on_host":true)"), CaseJson("Ring.Allows", "R-2")});
  const auto made = Make();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(Refusal(), "verified");
  EXPECT_EQ(Json::parse(CertificateText())["cases_on_this_machine"], 1);
  EXPECT_EQ(run_.cases[1].profile, kHostProfile);
}

constexpr const char* kWaiver =
    "[[waiver]]\nid = \"W-1\"\nrequirement = \"R-1\"\nkernel = \">=7.0\"\n"
    "reason = \"known\"\nowner = \"me\"\nuntil = 2999-01-31\n";

TEST_F(BundleTest, MoreThanATenthWaivedMustBeAllowedAndStandsInTheTitle) {
  lab_.failing = "Ring.Denies";
  waivers_ = kWaiver;
  EXPECT_THAT(WhyNot(), HasSubstr("1 of 2 must-pass requirements are waived, more than a tenth: "
                                  "--allow-waived 1"));
  allow_waived_ = 0;
  EXPECT_THAT(WhyNot(), HasSubstr("more than the 0 allowed"));
  allow_waived_ = 1;
  const auto made = Make();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->title, "Core, at most 1 of its requirements waived");
  EXPECT_THAT(made->passed, ElementsAre("R-2"));
  EXPECT_THAT(made->waived, ElementsAre("R-1"));
  const Json waived = Json::parse(CertificateText())["waived"];
  ASSERT_EQ(waived.size(), 1U);
  EXPECT_EQ(waived[0]["waiver"], "W-1");
  EXPECT_EQ(waived[0]["until"], "2999-01-31");
  const auto envelope = EnvelopeFromJson(ReadFile(Bundle() / kAttestationName).value());
  const Statement statement = StatementFromJson(envelope->payload).value();
  EXPECT_EQ(statement.result, "WARNED");
  EXPECT_THAT(statement.warned, ElementsAre("R-1"));
  Forge("certificate.json", R"("allow_waived": 1)", R"("allow_waived": 0)");
  EXPECT_THAT(Refusal(), HasSubstr("more than the 0 allowed"));
}

TEST_F(BundleTest, AnExpiredWaiverCertifiesNothing) {
  lab_.failing = "Ring.Denies";
  waivers_ = std::string(kWaiver);
  waivers_.replace(waivers_.find("2999"), 4, "2020");
  allow_waived_ = 2;
  EXPECT_THAT(WhyNot(), HasSubstr("1 of 2 must-pass requirements do not hold: R-1"));
}

TEST_F(BundleTest, TheConfigurationMustBeTheKernels) {
  config_text_.clear();
  EXPECT_THAT(WhyNot(), HasSubstr("kernel.config is missing"));
  config_text_ = "CONFIG_RING=y\nCONFIG_OTHER=y\n";
  EXPECT_THAT(WhyNot(), HasSubstr("kernel.config is not the configuration"));
}

TEST_F(BundleTest, AnExistingFolderIsLeftAlone) {
  Write("bundle/mine", "mine");
  EXPECT_THAT(Make().error().message, HasSubstr("is there already"));
  EXPECT_EQ(ReadFile(dir_ / "bundle/mine").value(), "mine");
}

}  // namespace
}  // namespace kassay
