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
#include "harness/certify/manifest.h"
#include "harness/run/lab.h"
#include "harness/run/run.h"

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
constexpr const char* kProfile =
    "description = \"as shipped\"\nboot = \"bzimage\"\ncertification = true\n";

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
  BootMode boot = BootMode::kBzImage;

  Status Ready(const std::set<std::string>&) const override { return {}; }
  Result<std::unique_ptr<Guest>> Fresh(const std::string&) override {
    return std::make_unique<FakeGuest>(failing);
  }
  std::string SuitePath(const std::string&, const std::string& suite) const override {
    return "/kassay/suites/" + suite;
  }
  std::map<std::string, MachineFacts> Facts() const override {
    MachineFacts facts;
    facts.qemu_version = "7.2.22";
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
    Write("config", "CONFIG_RING=y\n");
    std::string cases;
    for (const char* one :
         {"Ring.Denies\",\"requirements\":[\"R-1\"]", "Ring.Allows\",\"requirements\":[\"R-2\"]"}) {
      cases += fmt::format(
          R"({}{{"case":"{},"detection":false,"timeout_s":5,"profile":"","expects_panic":"",)"
          R"("file":"f","line":1}})",
          cases.empty() ? "" : ",", one);
    }
    Write("libexec/suites/ring",
          fmt::format("#!/bin/sh\necho '{{\"suite\":\"ring\",\"features\":[\"lists\"],\"cases\":[{}"
                      "]}}'\n",
                      cases));
    ::chmod((dir_ / "libexec/suites/ring").c_str(), 0755);
  }
  ~BundleTest() override { fs::remove_all(dir_); }

  void Write(const std::string& path, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomically(dir_ / path, text));
  }

  Result<Certificate> Make(const std::function<void(CertifyInput&)>& change = {}) {
    Kernel kernel;
    kernel.identity.spec = "debian:7.3.4";
    kernel.identity.version = "7.3.4";
    kernel.identity.release = "7.3.4-test";
    kernel.identity.image_sha256 = std::string(64, 'a');
    kernel.identity.config_sha256 = Sha256Hex("CONFIG_RING=y\n");
    kernel.config = KernelConfig::Parse("CONFIG_RING=y\n").value();
    RunOptions options;
    options.out_dir = dir_ / "run";
    options.data_dir = dir_ / "data";
    options.libexec_dir = dir_ / "libexec";
    options.jobs = 1;
    options.filters = filters_;
    RunObserver observer;
    fs::remove_all(options.out_dir);
    auto run = RunKernelIn(lab_, kernel, options, observer);
    if (!run) return Fail(run.error());
    CertifyInput input;
    input.run = *run;
    input.run_dir = options.out_dir;
    input.config_file = dir_ / "config";
    input.level_file = dir_ / "data/levels/core.toml";
    input.profiles_dir = dir_ / "data/vm/profiles";
    input.installation = {options.data_dir, options.libexec_dir};
    input.report_html = "<!doctype html>";
    if (change) change(input);
    return MakeBundle(input, key_, Bundle());
  }
  // The reason for which nothing was made; nothing must be left then.
  std::string WhyNot(const std::function<void(CertifyInput&)>& change = {}) {
    const auto certificate = Make(change);
    EXPECT_FALSE(fs::exists(Bundle()) && !certificate);
    EXPECT_FALSE(fs::exists(Bundle().string() + ".draft"));
    return certificate ? "made" : certificate.error().message;
  }
  fs::path Bundle() const { return dir_ / "bundle"; }

  fs::path dir_;
  FakeLab lab_;
  std::vector<std::string> filters_;
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
  EXPECT_EQ(verified.error().code, ExitCode::kNonconformant);
  EXPECT_THAT(verified.error().message, HasSubstr("not with the key given"));
}

TEST_F(BundleTest, AFailingMustPassRequirementIsRefusedByName) {
  lab_.failing = "Ring.Denies";
  EXPECT_THAT(WhyNot(), HasSubstr("1 of 2 must-pass requirements do not hold: R-1"));
}

// What a dishonest signer could write into the results is found out by the journal.
TEST_F(BundleTest, AVerdictThatTheJournalContradictsIsRefused) {
  lab_.failing = "Ring.Denies";
  const std::string why = WhyNot([](CertifyInput& input) {
    for (CaseResult& result : input.run.cases) {
      if (result.case_name != "Ring.Denies") continue;
      result.verdict = Verdict::kPass;
      result.passes = 1;
      result.reason.clear();
      result.failures.clear();
    }
    input.run.features[0].status = FeatureStatus::kConformant;
  });
  EXPECT_THAT(why, HasSubstr("ring.Ring.Denies is 'fail"));
  EXPECT_THAT(why, HasSubstr("by the journal and 'pass' in the results"));
}

TEST_F(BundleTest, ACaseThatIsNotThereIsRefused) {
  EXPECT_THAT(WhyNot([](CertifyInput& input) { input.run.cases.pop_back(); }),
              HasSubstr("has no result"));
  filters_ = {"Ring.Denies"};
  EXPECT_THAT(WhyNot(), HasSubstr("the run left out cases"));
}

TEST_F(BundleTest, OnlyTheVendorsOwnBootIsCertified) {
  lab_.boot = BootMode::kDirect;
  EXPECT_THAT(WhyNot(), HasSubstr("--boot bzimage is needed"));
  lab_.boot = BootMode::kBzImage;
  // The results say so, and nobody asked for it.
  Write("data/vm/profiles/shipped.toml", "description = \"x\"\ncertification = true\n");
  EXPECT_THAT(WhyNot(), HasSubstr("under the profile 'shipped': --boot bzimage is needed"));
  Write("data/vm/profiles/shipped.toml", "description = \"x\"\nboot = \"bzimage\"\n");
  EXPECT_THAT(WhyNot(), HasSubstr("'shipped', which is not for certification"));
  Write("data/vm/profiles/shipped.toml", std::string(kProfile) + "command_line = [\"lsm=none\"]\n");
  EXPECT_THAT(WhyNot(), HasSubstr("'shipped', which is not for certification"));
}

TEST_F(BundleTest, TheConfigurationMustBeTheKernels) {
  Write("config", "CONFIG_RING=y\nCONFIG_OTHER=y\n");
  EXPECT_THAT(WhyNot(), HasSubstr("kernel.config is not the configuration"));
}

TEST_F(BundleTest, AnExistingFolderIsLeftAlone) {
  Write("bundle/mine", "mine");
  EXPECT_THAT(Make().error().message, HasSubstr("is there already"));
  EXPECT_EQ(ReadFile(dir_ / "bundle/mine").value(), "mine");
}

}  // namespace
}  // namespace kassay
