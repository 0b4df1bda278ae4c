// What a run found: the one value that every report, comparison and certificate is made from.
//
// The JSON form is results/schema/run-result.schema.json. Reading it back checks every field: a
// result file may come from somebody else. Text that came from the guest is kept byte for byte
// (invalid UTF-8 replaced) and is data for every reader, never markup.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

inline constexpr int kRunResultFormat = 1;

enum class Verdict {
  kPass,
  kFail,
  kCrash,  // panic, oops, WARN, lockdep, sanitizer report or new taint, during or after the case
  kTimeout,
  kAbsent,  // the feature is not there; `reason` says why
  kUnmet,   // something that the case needs from its surroundings is missing; `reason` names it
  kError,   // the harness's own fault
};

enum class FeatureStatus {
  kConformant,
  kNonconformant,
  kAbsent,      // older kernel
  kDisabled,    // the vendor's configuration; `reason` is "CONFIG_X is not set"
  kMissing,     // version and config say that it is there, the probe says no
  kBackported,  // older version, and the probe says yes; its cases ran, `conformant` tells how that
                // went
  kUntested,    // not all of its essential requirements passed, and none failed
};

[[nodiscard]] std::string_view ToString(Verdict verdict);
[[nodiscard]] std::string_view ToString(FeatureStatus status);
[[nodiscard]] std::optional<Verdict> VerdictFromString(std::string_view text);
[[nodiscard]] std::optional<FeatureStatus> FeatureStatusFromString(std::string_view text);

// One assertion that did not hold, as GoogleTest saw it.
struct Failure {
  std::string file;  // relative to the source tree
  int line = 0;
  std::string message;
  friend bool operator==(const Failure&, const Failure&) = default;
};

// What a case observed: the same in every run of one kernel.
struct Evidence {
  std::string key;
  std::string value;
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

// What a case measured: differs from run to run, so nothing is compared by it.
struct Measure {
  std::string name;                                 // "returned after"
  std::variant<std::int64_t, std::string> value{};  // in `unit`, or a text
  std::string unit;                                 // "ms"; empty for a count or a text
  [[nodiscard]] std::string Text() const;           // "17 ms"
  friend bool operator==(const Measure&, const Measure&) = default;
};

// A known bug of the kernel that explains a failing case.
struct ErratumMatch {
  std::string id;  // the requirement whose erratum it is, e.g. "IOU-051"
  std::string
      fixed;  // first release of that line without the bug, e.g. "7.1.8"; empty if not fixed yet
  std::string text;
  std::string source;
  friend bool operator==(const ErratumMatch&, const ErratumMatch&) = default;
};

struct CaseResult {
  std::string suite;      // "io_uring"
  std::string case_name;  // "TaskFilter.IsInheritedOverFork"
  std::string profile;    // the profile that it ran under
  std::vector<std::string> requirements;
  std::vector<std::string> features;  // those of its requirements, sorted
  Verdict verdict = Verdict::kError;
  std::string reason;  // one line: why it is not a pass; empty for a pass
  std::string
      cause;  // of an unmet case: "trust" for want of a key that the kernel trusts, or empty
  std::vector<Failure> failures;
  std::vector<Evidence> evidence;
  std::vector<Measure> measures;
  std::vector<std::string> kernel_log;  // the kernel's own lines since the case began
  std::string console;                  // last part of the serial console, for crash and timeout
  std::optional<ErratumMatch> erratum;
  std::string waiver;            // id of the waiver that acts on it, empty without
  std::int64_t duration_ms = 0;  // wall clock on the host, restore included
  int attempts = 1;              // with --repeat: how often it ran ...
  int passes = 0;                // ... and how often it passed

  [[nodiscard]] std::string Id() const { return suite + "." + case_name; }
};

struct FeatureResult {
  std::string feature;  // "io_uring_bpf_filter"
  std::string suite;
  std::string title;
  std::string since;  // "7.0"
  FeatureStatus status = FeatureStatus::kUntested;
  std::string reason;  // "older kernel", "CONFIG_CRYPTO_MLDSA is not set", ...
  std::string probe;   // what the probe saw, word for word
};

struct KernelIdentity {
  std::string spec;     // as given: "debian:7.0.13"
  std::string release;  // uname -r of the image: "7.0.13+deb13-cloud-amd64"
  std::string version;  // upstream version for comparisons: "7.0.13"
  std::string vendor;   // "debian", "" for a build tree
  std::string package;  // "linux-binary-7.0.13+deb13-cloud-amd64", may be empty
  std::string package_version;
  std::string architecture = "x86_64";  // uname -m
  std::string image_sha256;
  std::string modules_sha256;  // over the sorted list of (path, sha256); empty without modules
  std::string config_sha256;
};

// How a person knows it: "debian:7.0.13" where it was given by such a name, for files the package's
// name and version, or the release.
[[nodiscard]] std::string NameOf(const KernelIdentity& kernel);

// What was put into a variable of UEFI firmware before the machine started.
struct Enrolled {
  std::string variable;  // "PK", "KEK", "db"
  std::string what;      // a certificate's subject, or "image" for the kernel's own digest
  std::string sha256;    // of the certificate as DER, or that digest
  friend bool operator==(const Enrolled&, const Enrolled&) = default;
};

// The UEFI firmware that machines of a profile started through.
struct Firmware {
  std::string profile;  // in an Environment, which has several
  std::string file;     // of its code: "OVMF_CODE_4M.secboot.fd"; empty where there was none
  std::string sha256;   // of that file
  bool secure_boot = false;
  std::vector<Enrolled> enrolled;
  friend bool operator==(const Firmware&, const Firmware&) = default;
};

struct Environment {
  std::string kassay_version;
  // By suite: over its executable and catalogue. Empty in results from before there were these.
  std::map<std::string, std::string> suites_sha256;
  // Of what carried the machines; this and the next three are empty where none was needed.
  std::string qemu_version;
  std::string accelerator;  // "tcg", "kvm", or "mixed": some machines this way, some that
  std::string cpu;          // QEMU's model: "max"; "mixed" where profiles differ; see CpuModel()
  // "direct", "bzimage", or "mixed": some profiles this way, some that. Machines that started
  // through UEFI count only where there were no others.
  std::string boot;
  std::string isolation;                             // "case" or "suite"
  std::map<std::string, std::string> command_lines;  // kernel command line by profile
  std::vector<Firmware> firmware;                    // of profiles that boot through UEFI, sorted

  // "QEMU 7.2.22, tcg, CPU max, boot direct", or "no machine was needed".
  [[nodiscard]] std::string Machine() const;
  // `cpu`, also of results from before it was recorded: their machines were of QEMU's "max".
  [[nodiscard]] std::string CpuModel() const {
    return cpu.empty() && !accelerator.empty() ? "max" : cpu;
  }
};

// Options of the command beside --kernel, --suite, --case, --boot and --isolation that a repetition
// needs, by name without dashes ("modules", "accel"); paths are absolute.
using Asked = std::map<std::string, std::string>;

struct RunResult {
  KernelIdentity kernel;
  Environment environment;
  Asked asked;
  std::vector<std::string> suites;
  std::string filter;       // --case, empty for all
  std::string started_at;   // RFC 3339, UTC
  std::string finished_at;  // empty while the run is under way
  bool interrupted = false;
  std::vector<FeatureResult> features;
  std::vector<CaseResult> cases;
  std::vector<std::string>
      notes;  // findings about the surroundings: fallback to emulation, probe against config, ...
};

// True for verdicts that make a kernel nonconformant when no waiver acts: fail, crash, timeout.
[[nodiscard]] bool IsNonconformant(Verdict verdict);

// What a run, or what it was checked by, comes to.
enum class RunOutcome {
  kConformant,     // everything that had to hold does (absent, disabled and waived included)
  kNonconformant,  // at least one requirement does not hold
  kCouldNotTest,   // nothing was said about the kernel
  kRegressed,      // worse than the baseline
  kInterrupted,    // what was finished is kept
};
// "conformant", "nonconformant", "could not test", "regressed", "interrupted"
[[nodiscard]] std::string_view ToString(RunOutcome outcome);

// Waivers respected, before any baseline is looked at. In this order: interrupted; nonconformant;
// could not test, where a case is an error, or unmet for another cause than trust, or where no case
// came to an answer.
[[nodiscard]] RunOutcome OutcomeOf(const RunResult& run);

[[nodiscard]] std::string ToJson(const RunResult& run);
// Fails with the place and the field on anything that the schema does not allow, and on a format
// newer than kRunResultFormat.
[[nodiscard]] Result<RunResult> RunResultFromJson(std::string_view json);
// The same of a file, or of results.json in a run's folder.
[[nodiscard]] Result<RunResult> LoadRunResult(const std::filesystem::path& result);

}  // namespace kassay
