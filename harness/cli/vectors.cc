// kassay vectors: other people's known-answer vectors through a kernel.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/file.h"
#include "harness/base/text/json_reader.h"
#include "harness/cli/command.h"
#include "harness/cli/labs.h"
#include "harness/protocol/vector_records.h"
#include "harness/vectors/drive.h"
#include "harness/vectors/vector_file.h"

namespace kassay::cli {
namespace {

const std::string kFooter = std::string(kKernelSpecs) + R"(

Formats: NIST ACVP ML-DSA sigVer (prompt.json with expectedResults.json, in any order; or
internalProjection.json), Wycheproof mldsa_*_verify_test.json, and kassay's own
(share/kassay/fixtures/vectors). What the kernel's interfaces cannot carry, such as a context that
is not empty, is named and counted.

Examples:
  kassay vectors --kernel reference:7.0 prompt.json expectedResults.json
  kassay vectors --kernel ./bzImage --json answers.json mldsa_65_verify_test.json

Exit codes:
  0    the kernel agrees with every verdict that it could be asked about
  1    it disagrees with one (the rest is not asked unless --keep-going)
  2    wrong usage, or a file of no known format
  3    could not test: no QEMU, no kernel, no ML-DSA in it, or no vector that it could carry
  5    the kernel comes up in no machine
  130  interrupted)";

struct Options {
  KernelOptions kernel;
  std::vector<std::filesystem::path> files;
  std::filesystem::path json;
  MachineFlags machine;
  bool keep_going = false;
  bool quiet = false;
};

struct Loaded {
  std::vector<SignatureVector> vectors;
  std::vector<std::string> file_of;  // by vector
};

Result<Loaded> Load(const std::vector<std::filesystem::path>& files) {
  Loaded loaded;
  std::map<AcvpPlace, bool> results;
  for (const auto& path : files) {
    KASSAY_TRY(const std::string text, ReadFile(path, kMaxVectorFileBytes));
    auto file = ParseVectorFile(text);
    if (!file) return Fail(file.error().Within(path.string()));
    for (const auto& [place, valid] : file->results) {
      const auto [known, fresh] = results.emplace(place, valid);
      if (!fresh && known->second != valid) {
        return Fail(fmt::format("{}: another file gives tg{}/tc{} of vector set {} another verdict",
                                path.string(), place.group, place.test, place.vector_set),
                    ErrorKind::kUsage);
      }
    }
    for (auto& vector : file->vectors) {
      loaded.vectors.push_back(std::move(vector));
      loaded.file_of.push_back(path.filename().string());
    }
  }
  if (loaded.vectors.empty())
    return Fail("the files hold verdicts but no signatures: name the prompt file too",
                ErrorKind::kUsage);
  const std::size_t without = ApplyResults(loaded.vectors, results);
  if (without > 0 && !results.empty())
    std::cerr << "kassay: " << without << " vectors have no published verdict\n";
  return loaded;
}

using Kind = VectorAnswer::Kind;

const char* NameOf(Kind kind) {
  constexpr const char* kNames[] = {"agrees", "DISAGREES", "not carried", "no verdict",
                                    "not reached"};
  return kNames[static_cast<size_t>(kind)];
}

const char* Verdict(bool valid) { return valid ? "valid" : "invalid"; }

void Print(const Loaded& loaded, std::size_t index, const VectorAnswer& answer) {
  const SignatureVector& vector = loaded.vectors[index];
  std::cout << fmt::format("{:<11}  {} {} {}", NameOf(answer.kind), loaded.file_of[index],
                           vector.id, vector.set);
  if (answer.kind == Kind::kUncarried) {
    std::cout << ": " << answer.reason << "\n";
    return;
  }
  std::cout << fmt::format("  {}: {} ({})", answer.door, Verdict(answer.valid), answer.result);
  if (answer.kind == Kind::kDisagrees) std::cout << ", published: " << Verdict(*vector.valid);
  std::cout << "\n";
}

Json JsonOf(const KernelIdentity& kernel, const Loaded& loaded,
            const std::vector<VectorAnswer>& answers) {
  Json list = Json::array();
  std::map<std::string, int> counts;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const VectorAnswer& answer = answers[i];
    ++counts[NameOf(answer.kind)];
    Json one = {{"file", loaded.file_of[i]},
                {"id", loaded.vectors[i].id},
                {"parameter_set", loaded.vectors[i].set},
                {"agreement", NameOf(answer.kind)}};
    if (loaded.vectors[i].valid) one["published"] = Verdict(*loaded.vectors[i].valid);
    if (!answer.door.empty()) {
      one["door"] = answer.door;
      one["result"] = answer.result;
    }
    if (answer.kind == Kind::kUncarried) one["reason"] = answer.reason;
    if (answer.kind != Kind::kUncarried && answer.kind != Kind::kNotReached)
      one["kernel"] = Verdict(answer.valid);
    list.push_back(std::move(one));
  }
  return {
      {"format", 1},
      {"kernel",
       {{"spec", kernel.spec}, {"release", kernel.release}, {"image_sha256", kernel.image_sha256}}},
      {"counts", counts},
      {"vectors", std::move(list)}};
}

Result<ExitCode> Summary(const std::vector<VectorAnswer>& answers) {
  std::map<Kind, int> counts;
  std::map<std::string, int> reasons;
  for (const VectorAnswer& answer : answers) {
    ++counts[answer.kind];
    if (answer.kind == Kind::kUncarried) ++reasons[answer.reason];
  }
  std::cout << fmt::format(
      "\n{} vectors: {} agree, {} disagree, {} not carried, {} without verdict, "
      "{} not reached\n",
      answers.size(), counts[Kind::kAgrees], counts[Kind::kDisagrees], counts[Kind::kUncarried],
      counts[Kind::kUnpublished], counts[Kind::kNotReached]);
  for (const auto& [reason, count] : reasons)
    std::cout << fmt::format("  {:5} not carried: {}\n", count, reason);
  if (counts[Kind::kDisagrees] > 0) return ExitCode::kNonconformant;
  if (counts[Kind::kAgrees] == 0)
    return Fail("the kernel could be asked about no vector that has a verdict");
  return ExitCode::kConformant;
}

// Leaves in `folder` the vectors and the image that holds them.
Result<std::vector<VectorAnswer>> AskIn(const std::filesystem::path& folder, VmLabOptions machines,
                                        const std::vector<SignatureVector>& vectors,
                                        const DriveOptions& drive) {
  KASSAY_CHECK(WriteGuestVectors(vectors, folder / "files"));
  machines.suites[kVectorsProfile] = {kVectorsSuite};
  machines.prepared = {folder / "files"};
  machines.installation.cache_dir = folder / "cache";
  machines.keeping = Keeping::kNothing;
  VmLab lab(std::move(machines));
  return DriveVectors(lab, vectors, drive);
}

Result<ExitCode> Run(const Options& options) {
  KASSAY_TRY(const Loaded loaded, Load(options.files));
  DriveOptions drive;
  drive.keep_going = options.keep_going;
  if (!options.quiet) {
    drive.note = [](const std::string& note) { std::cerr << "kassay: " << note << "\n"; };
    drive.on_answer = [&](std::size_t index, const VectorAnswer& answer) {
      Print(loaded, index, answer);
    };
  }
  KASSAY_TRY(const VmLabOptions machines, MachinesOf(options.kernel, options.machine));
  const auto folder =
      options.kernel.installation.cache_dir / "vectors" / std::to_string(::getpid());
  const auto answers = AskIn(folder, machines, loaded.vectors, drive);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!answers) return Fail(answers.error());
  if (!options.json.empty()) {
    const Json json = JsonOf(machines.kernel.identity, loaded, *answers);
    KASSAY_CHECK(WriteFileAtomically(options.json, DumpJson(json, 1) + "\n"));
  }
  return Summary(*answers);
}

void AddVectorsCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{context.installation});
  CLI::App* command =
      app.add_subcommand("vectors", "Ask a kernel about published ML-DSA verification vectors");
  command->footer(kFooter);
  AddKernelOptions(*command, options->kernel, /*required=*/true);
  command->add_option("FILE", options->files, "Vector files")->required()->check(CLI::ExistingFile);
  command->add_option("--json", options->json, "Write every answer to this file");
  AddMachineFlags(*command, options->machine);
  command->add_flag("--keep-going", options->keep_going, "Ask on after a disagreement");
  command->add_flag("--quiet", options->quiet, "Only the summary");
  command->callback([options, &context] { context.Finish(Run(*options)); });
}

KASSAY_COMMAND(35, AddVectorsCommand);

}  // namespace
}  // namespace kassay::cli
