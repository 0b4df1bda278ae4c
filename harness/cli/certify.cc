// kassay certify and kassay verify: a signed bundle from which every verdict can be computed again.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "harness/base/file.h"
#include "harness/certify/bundle.h"
#include "harness/certify/content.h"
#include "harness/cli/command.h"
#include "harness/cli/labs.h"
#include "harness/cli/one_run.h"
#include "harness/compare/compare_text.h"
#include "harness/profile/profile.h"
#include "harness/suite/name_pattern.h"
#include "harness/verdict/conclude.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCertifyFooter =
    R"(Runs the suites of the level on the kernel, booted as its vendor ships it (through the firmware, one
fresh kernel a case), and makes a bundle: results, report, the run's record (raw journal with the consoles,
catalogues, profiles, configuration), the level, the waivers; an in-toto test-result attestation in a DSSE
envelope, signed with KEY (Ed25519, or ML-DSA where OpenSSL has it). The certificate prints what the profiles
change of the vendor's boot: words of the command line, modules, files.

Refused, with the reason: a must-pass requirement that does not hold, a case that is missing, a change of the
boot that the level does not accept (that is said before the run), more than a tenth of the level waived.

Make a key:
  openssl genpkey -algorithm ed25519 -out key.pem
  openssl pkey -in key.pem -pubout -out key.pub.pem

Levels: core, container, bpf, full (levels/NAME.toml)

Examples:
  kassay certify --level core --kernel debian:7.3.4 --key key.pem --out certificate
  kassay certify --level container --waivers waivers.toml --kernel debian:7.0.13 --key key.pem --out certificate
  kassay certify --level core --run out/mine --kernel debian:7.3.4 --key key.pem --out certificate

Exit codes: 0 certified, 1 refused, 2 wrong usage, 3 could not test, 5 the kernel comes up in no
machine, 130 interrupted.)";

constexpr const char* kVerifyFooter =
    R"(Works offline and needs nothing but the bundle: the signature, the SHA-256 of every file, no file
missing or too much, and every verdict computed again from the raw journal. Give the signer's
public key: the key inside the bundle only shows that the bundle is whole, not who made it.

Examples:
  kassay verify certificate --key key.pub.pem

Exit codes: 0 verified, 1 refused (the reason is said), 2 wrong usage.)";

struct Options {
  RunFlags flags;
  std::string level = "core";
  fs::path key;
  fs::path out;
  fs::path run;
  fs::path waivers;
  std::optional<int> allow_waived;
  fs::path bundle;
};

void Print(const Certificate& certificate, const char* what) {
  std::cout << fmt::format("{}: level {} ({}) on {} ({})\n", what, certificate.level,
                           certificate.title, DisplayName(certificate.kernel),
                           certificate.kernel.release);
  std::cout << fmt::format("  {} must-pass requirements hold\n", certificate.passed.size());
  if (!certificate.waived.empty())
    std::cout << fmt::format("  {} {} waived: {}\n", certificate.waived.size(),
                             certificate.waived.size() == 1 ? "is" : "are",
                             fmt::join(certificate.waived, ", "));
  std::cout << fmt::format("  image    sha256:{}\n", certificate.kernel.image_sha256);
  std::cout << fmt::format("  machine  {}\n", certificate.environment.Machine());
  for (const Firmware& firmware : certificate.environment.firmware) {
    std::cout << fmt::format("  firmware {} sha256:{} under {}, Secure Boot {}, {} keys enrolled\n",
                             firmware.file, firmware.sha256, firmware.profile,
                             firmware.secure_boot ? "on" : "off", firmware.enrolled.size());
  }
  std::cout << fmt::format("  signer   {} key sha256:{}\n", certificate.key_algorithm,
                           certificate.key_id);
}

// The suites whose requirements the level asks for.
Result<std::vector<std::string>> SuitesOf(const Installation& installation, const Level& level) {
  std::vector<std::string> suites;
  KASSAY_TRY(const auto catalogues, LoadCatalogues(installation));
  for (const Catalogue& catalogue : catalogues) {
    const bool asked = std::ranges::any_of(catalogue.requirements, [&](const Requirement& one) {
      return std::ranges::any_of(
          level.must_pass, [&](const std::string& glob) { return GlobMatches(glob, one.id); });
    });
    if (asked) suites.push_back(catalogue.suite);
  }
  return suites;
}

// What a run of an hour would be refused for in the end.
Status CheckBeforeRun(const Installation& installation, const Level& level,
                      const std::vector<std::string>& names, const Kernel& kernel) {
  if (kernel.config.Empty())
    return Fail("no certificate: the kernel's configuration is not known; name it with --config",
                ErrorKind::kUsage);
  KASSAY_TRY(const auto suites, LoadSuites(installation, names));
  KASSAY_TRY(const auto catalogues, LoadCatalogues(installation, names));
  KASSAY_TRY(const KernelVersion version, VersionOf(kernel.identity));
  KASSAY_TRY(const ResolvedLevel resolved, ResolveLevel(level, catalogues, version));
  std::map<std::string, Profile> profiles;
  for (const std::string& name : ProfilesOf(suites, level.profile)) {
    if (name == kHostProfile) continue;
    KASSAY_TRY(profiles[name], LoadProfile(installation.ProfilesDir(), name));
  }
  const Status accepted = CheckAccepted(resolved, suites, profiles, level.profile);
  return accepted ? Status() : Fail(accepted.error().Within("no certificate"));
}

Status CheckSuites(const RunResult& run, std::vector<std::string> wanted, const Level& level) {
  std::erase_if(wanted,
                [&](const auto& suite) { return std::ranges::count(run.suites, suite) > 0; });
  if (wanted.empty()) return {};
  return Fail(fmt::format("no certificate: level {} asks for suites that are not in the run: {}",
                          level.name, fmt::join(wanted, ", ")),
              ErrorKind::kRefuted);
}

// A certificate is of the image as shipped; there is no other way to boot that could help.
Result<Kernel> KernelAsShipped(const KernelOptions& options) {
  KASSAY_TRY(Kernel kernel, ResolveKernel(options));
  const Status status = CheckBootsAsShipped(kernel);
  if (!status) return Fail(status.error().Within("no certificate"));
  return kernel;
}

// The folder of the run that is certified: a new one, or one that was made before.
Result<fs::path> RunOf(Options& options, const Level& level) {
  const Installation& installation = options.flags.kernel.installation;
  KASSAY_TRY(const std::vector<std::string> suites, SuitesOf(installation, level));
  if (options.run.empty()) {
    KASSAY_TRY(const Kernel kernel, KernelAsShipped(options.flags.kernel));
    KASSAY_CHECK(CheckBeforeRun(installation, level, suites, kernel));
    options.flags.run.suites = suites;
    options.flags.run.profile = level.profile;
    options.flags.machine.boot = "bzimage";
    options.flags.run.out_dir = options.out.string() + ".run";
    KASSAY_CHECK(RunOneKernel(options.flags, options.flags.kernel.spec));
    return options.flags.run.out_dir;
  }
  KASSAY_TRY(const RunRecord record, ReadRunRecord(options.run));
  KASSAY_TRY(const RunResult run, Conclude(record));
  KASSAY_CHECK(CheckSuites(run, suites, level));
  KASSAY_TRY(const Kernel kernel, KernelAsShipped(options.flags.kernel));
  if (kernel.identity.image_sha256 == run.kernel.image_sha256) return options.run;
  return Fail(
      options.run.string() + " is a run of another kernel than " + options.flags.kernel.spec,
      ErrorKind::kUsage);
}

Result<ExitCode> Certify(Options& options) {
  KASSAY_TRY(const Key key, Key::Load(options.key, /*private_key=*/true));
  const Installation& installation = options.flags.kernel.installation;
  KASSAY_TRY(const Level level, LoadLevel(installation.LevelsDir(), options.level));
  std::error_code ignored;
  if (fs::exists(options.out, ignored))
    return Fail(options.out.string() + " is there already", ErrorKind::kUsage);
  CertifyInput input;
  KASSAY_TRY(input.run_dir, RunOf(options, level));
  input.level_file = installation.LevelsDir() / (level.name + ".toml");
  input.waivers_file = options.waivers;
  input.allow_waived = options.allow_waived;
  input.report_html = [&](const RunResult& run) {
    HtmlContext context = TextsOf(installation, run.suites);
    context.findings = {"Tested for certification level " + level.name + ": " + level.text};
    return HtmlOfRun(run, context);
  };
  auto certificate = MakeBundle(input, key, options.out);
  if (!certificate)
    return Fail(certificate.error().Within("no certificate (the run is in " +
                                           input.run_dir.string() + ")"));
  Print(*certificate, options.out.c_str());
  return ExitCode::kConformant;
}

Result<ExitCode> Verify(Options& options) {
  std::optional<Key> key;
  if (!options.key.empty()) {
    KASSAY_TRY(key, Key::Load(options.key, /*private_key=*/false));
  }
  auto certificate = VerifyBundle(options.bundle, key);
  if (!certificate) {
    Error error = certificate.error().Within("refused");
    error.kind = ErrorKind::kRefuted;
    return Fail(error);
  }
  Print(*certificate, "verified");
  if (!key) std::cout << "  whoever made it: name the signer's key with --key to be sure of that\n";
  return ExitCode::kConformant;
}

void AddCertifyCommands(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{{context.installation}});
  CLI::App* certify = app.add_subcommand("certify", "Make a signed certificate of a kernel");
  certify->footer(kCertifyFooter);
  certify->add_option("--level", options->level, "levels/NAME.toml")->capture_default_str();
  AddKernelOptions(*certify, options->flags.kernel, /*required=*/true);
  certify->add_option("--key", options->key, "The private key (PEM)")
      ->required()
      ->check(CLI::ExistingFile);
  certify->add_option("--out", options->out, "The bundle's folder; must not exist")->required();
  certify->add_option("--run", options->run, "Certify this run instead of a new one")
      ->check(CLI::ExistingDirectory);
  certify->add_option("--waivers", options->waivers, "Waivers (TOML) for known defects")
      ->check(CLI::ExistingFile);
  certify
      ->add_option(
          "--allow-waived", options->allow_waived,
          "How many requirements may be waived, instead of a tenth of the level; stands in "
          "the certificate's title")
      ->check(CLI::Range(0, 10000));
  certify->add_option("--jobs", options->flags.run.jobs, "Machines at a time")
      ->check(CLI::Range(1, 256));
  certify
      ->add_option("--limit-scale", options->flags.run.limit_scale,
                   "Multiplies every time limit, for slow machines: a verdict is the same, only "
                   "later")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str();
  CLI::App* verify = app.add_subcommand("verify", "Check a certificate, offline");
  verify->footer(kVerifyFooter);
  verify->add_option("BUNDLE", options->bundle, "The certificate's folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  verify->add_option("--key", options->key, "The signer's public key (PEM)")
      ->check(CLI::ExistingFile);
  certify->callback([options, &context] { context.Finish(Certify(*options)); });
  verify->callback([options, &context] { context.Finish(Verify(*options)); });
}

KASSAY_COMMAND(36, AddCertifyCommands);

}  // namespace
}  // namespace kassay::cli
