// kassay list: what can be tested, and on what.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "harness/base/file.h"
#include "harness/base/text/json_reader.h"
#include "harness/cli/command.h"
#include "harness/cli/kernel_options.h"
#include "harness/kernel/build_config.h"
#include "harness/kernel/store.h"
#include "harness/suite/kernel_options.h"
#include "harness/suite/selection.h"

namespace kassay::cli {
namespace {

constexpr const char* kFooter = R"(Examples:
  kassay list kernels
  kassay list cases --suite io_uring --case '*Exec*'
  kassay list requirements --suite mount --json

Exit codes: 0 done, 2 wrong usage, 3 nothing is built or readable.)";

constexpr const char* kKconfigFooter =
    R"(Each option stands once, under who names it first: kassay itself, a suite (all of its cases rely on
it), a feature (the kernel has it by this option) or a requirement (its cases rely on it). A case
whose option is off is left out as `absent`, with the option's name.

Examples:
  kassay list kconfig --suite mount > mount.config
  cd linux && scripts/kconfig/merge_config.sh .config mount.config

Exit codes: 0 done, 2 wrong usage, 3 not readable.)";

struct Options {
  Installation& installation;
  std::vector<std::string> suites;
  std::vector<std::string> filters;
  bool json = false;
};

// Rows under a head for a person, or an array of objects with the same keys.
class Listing {
 public:
  explicit Listing(std::vector<std::string> keys) : keys_(std::move(keys)) {}
  void Add(std::vector<Json> row) { rows_.push_back(std::move(row)); }

  void Print(bool json) const { json ? PrintJson() : PrintText(); }

 private:
  void PrintJson() const {
    Json list = Json::array();
    for (const auto& row : rows_) {
      Json object = Json::object();
      for (size_t i = 0; i < keys_.size(); ++i) object[keys_[i]] = row[i];
      list.push_back(std::move(object));
    }
    std::cout << DumpJson(list, 1) << "\n";
  }

  static std::string Cell(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "-";
    if (!value.is_array()) return value.dump();
    std::string text;
    for (const Json& one : value) text += (text.empty() ? "" : " ") + Cell(one);
    return text;
  }

  void PrintText() const {
    std::vector<std::vector<std::string>> lines(1);
    for (const std::string& key : keys_) {
      std::string& head = lines[0].emplace_back(key);
      std::ranges::transform(key, head.begin(), [](unsigned char c) { return std::toupper(c); });
    }
    for (const auto& row : rows_)
      std::ranges::transform(row, std::back_inserter(lines.emplace_back()), Cell);
    std::vector<size_t> widths(keys_.size());
    for (const auto& line : lines) {
      for (size_t i = 0; i + 1 < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
    }
    for (const auto& line : lines) {
      for (size_t i = 0; i < line.size(); ++i)
        std::cout << fmt::format("{:<{}}{}", line[i], widths[i], i + 1 < line.size() ? "  " : "\n");
    }
  }

  const std::vector<std::string> keys_;
  std::vector<std::vector<Json>> rows_;
};

Result<Listing> Kernels(const Options& options) {
  KASSAY_TRY(const auto stored, StoreOf(options.installation).Stored());
  Listing listing({"kernel", "release", "here"});
  for (const StoredKernel& kernel : stored)
    listing.Add({kernel.pin.Spec(), kernel.pin.release, kernel.unpacked});
  return listing;
}

Result<std::vector<Suite>> Selected(const Options& options) {
  KASSAY_TRY(Selection selection, Select(options.installation, options.suites, options.filters));
  return std::move(selection.suites);
}

Result<Listing> Suites(const Options& options) {
  KASSAY_TRY(const auto suites, Selected(options));
  Listing listing({"suite", "cases", "requirements", "profile", "title"});
  for (const Suite& suite : suites) {
    const Catalogue& catalogue = suite.catalogue;
    listing.Add({catalogue.suite, suite.list.cases.size(), catalogue.requirements.size(),
                 ProbeProfileOf(suite, ""), catalogue.title});
  }
  return listing;
}

Result<Listing> Cases(const Options& options) {
  KASSAY_TRY(const auto suites, Selected(options));
  Listing listing({"case", "profile", "detection", "timeout_s", "requirements"});
  for (const Suite& suite : suites) {
    for (const ListedCase& listed : suite.list.cases)
      listing.Add({suite.catalogue.suite + "." + listed.name, ProfileOf(suite, listed, ""),
                   listed.detection, listed.timeout_s, listed.requirements});
  }
  return listing;
}

Result<Listing> Requirements(const Options& options) {
  KASSAY_TRY(const auto suites, Selected(options));
  Listing listing({"requirement", "feature", "cases", "source", "text", "untested"});
  for (const Suite& suite : suites) {
    for (const Requirement& requirement : suite.catalogue.requirements) {
      const auto cases = std::ranges::count_if(suite.list.cases, [&](const ListedCase& listed) {
        return std::ranges::count(listed.requirements, requirement.id) > 0;
      });
      listing.Add({requirement.id, requirement.feature, cases, requirement.source, requirement.text,
                   requirement.untested});
    }
  }
  return listing;
}

Result<Listing> Features(const Options& options) {
  KASSAY_TRY(const auto suites, Selected(options));
  Listing listing({"feature", "suite", "since", "kconfig", "title"});
  for (const Suite& suite : suites) {
    for (const Feature& feature : suite.catalogue.features)
      listing.Add(
          {feature.id, suite.catalogue.suite, feature.since, feature.kconfig, feature.title});
  }
  return listing;
}

// What a kernel needs to be tested: for scripts/kconfig/merge_config.sh of its own source.
Result<ExitCode> PrintKconfig(const Options& options) {
  KASSAY_TRY(const std::string base,
             ReadFile(options.installation.KconfigDir() / kBaseFragment, size_t{1} << 20));
  KASSAY_TRY(const auto catalogues, LoadCatalogues(options.installation, options.suites));
  KASSAY_TRY(const std::string suites, OptionsFragment(catalogues));
  std::cout << base << "\n" << suites;
  return ExitCode::kConformant;
}

using MakeListing = Result<Listing> (*)(const Options&);

Result<ExitCode> Print(MakeListing make, const Options& options) {
  KASSAY_TRY(const Listing listing, make(options));
  listing.Print(options.json);
  return ExitCode::kConformant;
}

void AddSuiteOptions(CLI::App& command, Options& options) {
  AddSuitesOption(command, options.installation);
  command.add_option("--suite", options.suites, "Only these suites")->delimiter(',');
}

void AddListCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{context.installation});
  CLI::App* list = app.add_subcommand("list", "Kernels, suites, cases, requirements and features");
  list->require_subcommand(1);
  list->footer(kFooter);
  const auto add = [&](const char* name, const char* description, MakeListing make) {
    CLI::App* command = list->add_subcommand(name, description)->footer(kFooter);
    command->add_flag("--json", options->json, "As JSON");
    if (make != &Kernels) {
      AddSuiteOptions(*command, *options);
      command->add_option("--case", options->filters,
                          "Only cases that match, in GoogleTest's filter language");
    }
    command->callback([options, make, &context] { context.Finish(Print(make, *options)); });
  };
  add("kernels", "The pinned kernels", &Kernels);
  add("suites", "The suites that are built", &Suites);
  add("cases", "Their cases, with the requirements that each cites", &Cases);
  add("requirements", "What must hold, and how many cases say so", &Requirements);
  add("features", "The features, since when and under which configuration", &Features);
  CLI::App* kconfig = list->add_subcommand(
      "kconfig", "The kernel options that kassay and its suites need, as a fragment of a .config");
  kconfig->footer(kKconfigFooter);
  AddSuiteOptions(*kconfig, *options);
  kconfig->callback([options, &context] { context.Finish(PrintKconfig(*options)); });
}

KASSAY_COMMAND(20, AddListCommand);

}  // namespace
}  // namespace kassay::cli
