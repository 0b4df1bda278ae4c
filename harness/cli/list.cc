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
  explicit Options(Installation& where) : installation(where) {}

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
    std::vector<size_t> widths;
    for (size_t i = 0; i < keys_.size(); ++i) {
      size_t width = keys_[i].size();
      for (const auto& row : rows_) width = std::max(width, Cell(row[i]).size());
      widths.push_back(width);
    }
    const auto print = [&](const auto& cell_of) {
      std::string line;
      for (size_t i = 0; i < keys_.size(); ++i) {
        const bool last = i + 1 == keys_.size();
        line += fmt::format("{:<{}}{}", cell_of(i), last ? 0 : widths[i], last ? "" : "  ");
      }
      std::cout << line << "\n";
    };
    print([&](size_t i) {
      std::string head = keys_[i];
      std::transform(head.begin(), head.end(), head.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      return head;
    });
    for (const auto& row : rows_) print([&](size_t i) { return Cell(row[i]); });
  }

  const std::vector<std::string> keys_;
  std::vector<std::vector<Json>> rows_;
};

Result<Listing> Kernels(const Options& options) {
  KASSAY_TRY(const auto stored, KernelStore(StoreOf(options.installation)).Stored());
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
      const auto cases = std::count_if(
          suite.list.cases.begin(), suite.list.cases.end(), [&](const ListedCase& listed) {
            return std::find(listed.requirements.begin(), listed.requirements.end(),
                             requirement.id) != listed.requirements.end();
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
Result<std::string> Kconfig(const Options& options) {
  KASSAY_TRY(const std::string base,
             ReadFile(options.installation.KconfigDir() / kBaseFragment, size_t{1} << 20));
  KASSAY_TRY(const auto catalogues, LoadCatalogues(options.installation, options.suites));
  KASSAY_TRY(const std::string suites, AsFragment(OptionsOf(catalogues)));
  return base + "\n" + suites;
}

void AddKconfigList(CLI::App& list, const std::shared_ptr<Options>& options, Context& context) {
  CLI::App* command = list.add_subcommand(
      "kconfig", "The kernel options that kassay and its suites need, as a fragment of a .config");
  command->footer(kKconfigFooter);
  AddSuitesOption(*command, options->installation);
  command->add_option("--suite", options->suites, "Only these suites")->delimiter(',');
  command->callback([options, &context] {
    const auto text = Kconfig(*options);
    if (!text) {
      context.exit_code = Report(text.error());
    } else {
      std::cout << *text;
    }
  });
}

using MakeListing = Result<Listing> (*)(const Options&);

void AddListCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(context.installation);
  CLI::App* list = app.add_subcommand("list", "Kernels, suites, cases, requirements and features");
  list->require_subcommand(1);
  list->footer(kFooter);
  const auto add = [&](const char* name, const char* description, MakeListing make) {
    CLI::App* command = list->add_subcommand(name, description);
    command->footer(kFooter);
    command->add_flag("--json", options->json, "As JSON");
    if (make != &Kernels) {
      AddSuitesOption(*command, options->installation);
      command->add_option("--suite", options->suites, "Only these suites")->delimiter(',');
      command->add_option("--case", options->filters,
                          "Only cases that match, in GoogleTest's filter language");
    }
    command->callback([options, make, &context] {
      const auto listing = make(*options);
      if (!listing) {
        context.exit_code = Report(listing.error());
      } else {
        listing->Print(options->json);
      }
    });
  };
  add("kernels", "The pinned kernels", &Kernels);
  add("suites", "The suites that are built", &Suites);
  add("cases", "Their cases, with the requirements that each cites", &Cases);
  add("requirements", "What must hold, and how many cases say so", &Requirements);
  add("features", "The features, since when and under which configuration", &Features);
  AddKconfigList(*list, options, context);
}

KASSAY_COMMAND(20, AddListCommand);

}  // namespace
}  // namespace kassay::cli
