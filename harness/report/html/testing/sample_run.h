// A run with one of everything, for the tests of the page.
#pragma once

#include <string>

#include "harness/report/html/html.h"

namespace kassay {

inline constexpr const char* kHostileText =
    "</script><script>document.title='owned'</script><!--<script><img src=x onerror=alert(1)>";

inline CaseResult SampleCase(const std::string& suite, const std::string& name,
                             const std::string& requirement, Verdict verdict,
                             const std::string& reason = "") {
  CaseResult result;
  result.suite = suite;
  result.case_name = name;
  result.profile = "stock";
  result.requirements = {requirement};
  result.verdict = verdict;
  result.reason = reason;
  result.duration_ms = 412;
  result.passes = verdict == Verdict::kPass ? 1 : 0;
  return result;
}

inline RunResult SampleRun() {
  RunResult run;
  run.kernel = {.spec = "debian:7.0.13",
                .release = "7.0.13+deb13-cloud-amd64",
                .version = "7.0.13",
                .vendor = "debian",
                .package = "linux-binary-7.0.13+deb13-cloud-amd64",
                .package_version = "7.0.13-1~bpo13+1",
                .image_sha256 = std::string(64, 'a'),
                .modules_sha256 = std::string(64, 'b'),
                .config_sha256 = std::string(64, 'c')};
  run.environment = {.kassay_version = "0.1.0",
                     .suites_sha256 = {{"io_uring", std::string(64, 'd')}},
                     .qemu_version = "7.2.22",
                     .accelerator = "tcg",
                     .cpu = "max",
                     .boot = "direct",
                     .isolation = "case",
                     .command_lines = {{"stock", "console=ttyS0 panic=-1 nokaslr"}}};
  run.suites = {"io_uring", "mldsa"};
  run.started_at = "2026-11-24T06:00:00Z";
  run.finished_at = "2026-11-24T06:01:40Z";
  run.notes = {"KVM is there but cannot run a kernel: emulation is used."};
  run.features = {{"io_uring_restrictions", "io_uring", "Restrictions of a task's rings", "7.0",
                   FeatureStatus::kNonconformant, "", "registered"},
                  {"io_uring_bpf_filter", "io_uring", "BPF filters for io_uring requests", "7.0",
                   FeatureStatus::kConformant, "", "registered"},
                  {"crypto_mldsa", "mldsa", "ML-DSA signatures", "7.0", FeatureStatus::kDisabled,
                   "CONFIG_CRYPTO_MLDSA is not set", "ENOENT"}};
  run.cases = {
      SampleCase("io_uring", "TaskList.IsInheritedOverFork", "IOU-049", Verdict::kPass),
      SampleCase("io_uring", "TaskList.SurvivesExecOnceARingWasUsed", "IOU-051", Verdict::kFail,
                 "the ring of the new program was not restricted: got 0, wanted -13 (EACCES)"),
      SampleCase("io_uring", "Filter.DeniesWithErrno", "IOU-070", Verdict::kPass),
      SampleCase("io_uring", "Filter.IsAskedForEveryRequest", "IOU-070", Verdict::kPass),
      SampleCase("io_uring", "Filter.LongProgram", "IOU-071", Verdict::kCrash,
                 "BUG: KASAN: slab-out-of-bounds in io_uring_filter"),
      SampleCase("io_uring", "Filter.RaceWithExit", "IOU-072", Verdict::kUnmet,
                 "the race was not hit in 200 rounds"),
      SampleCase("mldsa", "Verify.RefusesADamagedSignature", "MLD-004", Verdict::kAbsent,
                 "CONFIG_CRYPTO_MLDSA is not set"),
      SampleCase("mldsa", "Detect.FailsClosed", "MLD-001", Verdict::kPass)};
  CaseResult& broken = run.cases[1];
  broken.failures = {{"suites/io_uring/exec.cc", 88,
                      "Value of: SubmitNop(ring)\nExpected: is errno 13 (EACCES)\n  Actual: 0"}};
  broken.evidence = {{"errno", "0"}, {"ring", "made before execve"}};
  broken.measures = {{"returned after", 17, "ms"}};
  broken.kernel_log = {"<6>[    4.102] kassay: io_uring.TaskList.SurvivesExecOnceARingWasUsed"};
  broken.erratum = ErratumMatch{
      "IOU-051", "7.1.8",
      "Restrictions of the task are lost over execve once the thread had set up a ring.",
      "io_uring/tctx.c:__io_uring_free"};
  run.cases[4].console =
      "[    5.010] BUG: KASAN: slab-out-of-bounds\n[    5.011] " + std::string(kHostileText);
  run.cases[4].waiver = "W-2026-01";
  return run;
}

inline HtmlContext SampleContext() {
  const auto text = [](const char* id, const char* suite, const char* feature, const char* words) {
    return RequirementText{
        id, suite, feature, words, "io_uring/register.c:io_register_restrictions", ""};
  };
  HtmlContext context;
  context.requirements = {
      text("IOU-049", "io_uring", "io_uring_restrictions",
           "A child made by fork has the restrictions of its parent."),
      text("IOU-051", "io_uring", "io_uring_restrictions",
           "execve keeps a task's restrictions, also after the thread has used a ring."),
      text("IOU-070", "io_uring", "io_uring_bpf_filter",
           "A filter that returns 0 fails the request with EACCES and nothing of it is done."),
      text("IOU-071", "io_uring", "io_uring_bpf_filter",
           "A filter of 4096 instructions is taken, one of 4097 is refused."),
      text("IOU-072", "io_uring", "io_uring_bpf_filter",
           "No request passes while the filter's owner exits."),
      text("IOU-073", "io_uring", "io_uring_bpf_filter", "A filter may not sleep."),
      text("MLD-001", "mldsa", "crypto_mldsa",
           "Without ML-DSA a key of that kind is refused with ENOPKG."),
      text("MLD-004", "mldsa", "crypto_mldsa", "A signature with one bit changed is refused.")};
  context.requirements[5].untested = "needs a helper that the kernel does not have";
  context.findings = {
      "W-2026-01 acts on io_uring.Filter.LongProgram until 2027-01-31: vendor works on it"};
  return context;
}

}  // namespace kassay
