#include "harness/suite/catalogue.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <set>
#include <sstream>

#include "harness/base/file.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxCatalogueBytes = size_t{4} << 20;

std::string Place(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}", file, node.source().begin.line);
}

// Reads one table and remembers the first problem with its line; keys that nobody asked for are a
// problem too, because a misspelt key would otherwise be a promise that is not kept.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string name, const std::string& file,
              std::string& problem)
      : table_(table), name_(std::move(name)), file_(file), problem_(problem) {}

  std::string Text(const char* key, bool required) {
    const toml::node* node = Find(key, required);
    if (node == nullptr) return {};
    const auto* text = node->as_string();
    if (text == nullptr) {
      Complain(*node, fmt::format("'{}' is not a string", key));
      return {};
    }
    if (required && text->get().empty()) Complain(*node, fmt::format("'{}' is empty", key));
    return text->get();
  }

  std::vector<std::string> Texts(const char* key) {
    std::vector<std::string> texts;
    const toml::node* node = Find(key, false);
    if (node == nullptr) return texts;
    const toml::array* array = node->as_array();
    if (array == nullptr || (!array->empty() && !array->is_homogeneous<std::string>())) {
      Complain(*node, fmt::format("'{}' is not a list of strings", key));
      return texts;
    }
    for (const toml::node& element : *array) texts.push_back(**element.as_string());
    return texts;
  }

  std::optional<KernelVersion> Version(const char* key) {
    const std::string text = Text(key, false);
    if (text.empty()) return std::nullopt;
    const auto version = ParseStrictVersion(text);
    if (!version) {
      Complain(*table_.get(key), fmt::format("{}: {}", key, version.error().message));
      return std::nullopt;
    }
    return *version;
  }

  std::vector<std::string> Kconfig(const char* key = "kconfig") {
    std::vector<std::string> terms = Texts(key);
    for (const std::string& term : terms) {
      if (term.find("CONFIG_") != (term.starts_with('!') ? 1U : 0U)) {
        Complain(*table_.get(key),
                 fmt::format("{}: '{}' is not CONFIG_X, CONFIG_X=value or !CONFIG_X", key, term));
      }
    }
    return terms;
  }

  // Calls `read` with each table of an array of tables.
  template <typename Read>
  void Tables(const char* key, Read read) {
    const toml::node* node = Find(key, false);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr || (!array->empty() && !array->is_homogeneous<toml::table>())) {
      return Complain(*node, fmt::format("'{}' must be written as [[{}]]", key, key));
    }
    for (const toml::node& element : *array) read(*element.as_table());
  }

  void Complain(const toml::node& node, const std::string& what) {
    if (problem_.empty()) problem_ = fmt::format("{}: {}: {}", Place(file_, node), name_, what);
  }
  void Complain(const std::string& what) { Complain(table_, what); }

  // To be called last.
  void NothingElse() {
    for (const auto& [key, node] : table_) {
      if (!known_.contains(std::string(key.str())))
        Complain(node, fmt::format("unknown key '{}'", key.str()));
    }
  }

 private:
  const toml::node* Find(const char* key, bool required) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr && required) Complain(fmt::format("'{}' is missing", key));
    return node;
  }

  const toml::table& table_;
  std::string name_;
  const std::string& file_;
  std::string& problem_;
  std::set<std::string> known_;
};

// Letters, digits and "_-.": what is safe in file names, test names and reports.
bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= 128 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
         });
}

class CatalogueReader {
 public:
  CatalogueReader(const std::string& file, std::string& problem) : file_(file), problem_(problem) {}

  Catalogue Read(const toml::table& root) {
    TableReader reader(root, "catalogue", file_, problem_);
    for (const auto& [key, node] : root) {
      if (key != "suite" && key != "feature" && key != "requirement")
        reader.Complain(node, fmt::format("unknown key '{}'", key.str()));
    }
    reader.Tables("feature", [&](const toml::table& table) { ReadFeature(table); });
    reader.Tables("requirement", [&](const toml::table& table) { ReadRequirement(table); });
    const toml::table* suite = root["suite"].as_table();
    if (suite == nullptr) {
      reader.Complain("the table [suite] is missing");
    } else {
      ReadSuite(*suite);
    }
    return std::move(catalogue_);
  }

 private:
  void ReadSuite(const toml::table& table) {
    TableReader reader(table, "suite", file_, problem_);
    catalogue_.suite = reader.Text("name", true);
    catalogue_.title = reader.Text("title", true);
    const std::string runs_on = reader.Text("runs_on", false);
    catalogue_.runs_on_host = runs_on == "host";
    catalogue_.profile = reader.Text("profile", !catalogue_.runs_on_host);
    catalogue_.kconfig = reader.Kconfig();
    if (!runs_on.empty() && runs_on != "host" && runs_on != "guest")
      reader.Complain("'runs_on' is neither \"guest\" nor \"host\"");
    if (!IsPlainName(catalogue_.suite)) reader.Complain("'name' is not a plain name");
    reader.NothingElse();
  }

  void ReadFeature(const toml::table& table) {
    TableReader reader(table, "feature " + table["id"].value_or(std::string("?")), file_, problem_);
    Feature feature;
    feature.id = reader.Text("id", true);
    feature.title = reader.Text("title", true);
    feature.since = reader.Text("since", false);
    feature.since_version = reader.Version("since").value_or(KernelVersion{});
    feature.kconfig = reader.Kconfig();
    feature.needs = reader.Kconfig("needs");
    reader.NothingElse();
    if (!IsPlainName(feature.id)) reader.Complain("'id' is not a plain name");
    if (catalogue_.FindFeature(feature.id) != nullptr) reader.Complain("this id is used twice");
    catalogue_.features.push_back(std::move(feature));
  }

  void ReadRequirement(const toml::table& table) {
    TableReader reader(table, "requirement " + table["id"].value_or(std::string("?")), file_,
                       problem_);
    Requirement requirement;
    requirement.line = static_cast<int>(table.source().begin.line);
    requirement.id = reader.Text("id", true);
    requirement.text = reader.Text("text", true);
    requirement.source = reader.Text("source", true);
    requirement.feature = reader.Text("feature", true);
    requirement.since = reader.Version("since");
    requirement.until = reader.Version("until");
    requirement.kconfig = reader.Kconfig();
    requirement.untested = reader.Text("untested", false);
    reader.Tables("errata", [&](const toml::table& erratum) {
      requirement.errata.push_back(ReadErratum(erratum, requirement.id));
    });
    reader.NothingElse();
    if (!IsPlainName(requirement.id)) reader.Complain("'id' is not a plain name");
    if (catalogue_.FindRequirement(requirement.id) != nullptr)
      reader.Complain("this id is used twice");
    if (catalogue_.FindFeature(requirement.feature) == nullptr)
      reader.Complain(fmt::format("no [[feature]] has the id '{}'", requirement.feature));
    catalogue_.requirements.push_back(std::move(requirement));
  }

  Erratum ReadErratum(const toml::table& table, const std::string& requirement) {
    TableReader reader(table, "errata of " + requirement, file_, problem_);
    Erratum erratum;
    erratum.affects = reader.Text("affects", true);
    erratum.fixed = reader.Text("fixed", false);
    erratum.text = reader.Text("text", true);
    erratum.source = reader.Text("source", true);
    erratum.cases = reader.Texts("cases");
    reader.NothingElse();
    auto affected = VersionCondition::Parse(erratum.affects);
    if (affected) {
      erratum.affected = *std::move(affected);
    } else {
      reader.Complain("affects: " + affected.error().message);
    }
    return erratum;
  }

  const std::string& file_;
  std::string& problem_;
  Catalogue catalogue_;
};

template <typename List>
auto FindById(const List& list, std::string_view id) -> decltype(list.data()) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.id == id; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

const Feature* Catalogue::FindFeature(std::string_view id) const { return FindById(features, id); }
const Requirement* Catalogue::FindRequirement(std::string_view id) const {
  return FindById(requirements, id);
}

Result<Catalogue> ParseCatalogue(std::string_view text, const std::string& file_name) {
  try {
    const toml::table root = toml::parse(text, file_name);
    std::string problem;
    Catalogue catalogue = CatalogueReader(file_name, problem).Read(root);
    if (!problem.empty()) return Fail(problem, ExitCode::kUsage);
    return catalogue;
  } catch (const toml::parse_error& error) {
    return Fail(fmt::format("{}:{}: {}", file_name, error.source().begin.line, error.description()),
                ExitCode::kUsage);
  }
}

Result<Catalogue> LoadCatalogue(const fs::path& suites_dir, const std::string& suite) {
  const fs::path file = suites_dir / suite / "requirements.toml";
  KASSAY_TRY(const std::string text, ReadFile(file, kMaxCatalogueBytes));
  KASSAY_TRY(Catalogue catalogue, ParseCatalogue(text, file.string()));
  if (catalogue.suite != suite) {
    return Fail(fmt::format("{}: the suite's name is '{}', the folder's is '{}'", file.string(),
                            catalogue.suite, suite),
                ExitCode::kUsage);
  }
  return catalogue;
}

Result<std::vector<std::string>> SuiteNames(const fs::path& suites_dir) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(suites_dir, error)) {
    std::error_code ignored;
    if (fs::exists(entry.path() / "requirements.toml", ignored))
      names.push_back(entry.path().filename());
  }
  if (error) return Fail("cannot read " + suites_dir.string() + ": " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

std::string WhyKconfigFails(const std::string& term, const KernelConfig& config) {
  if (term.starts_with('!')) {
    const std::string symbol = term.substr(1);
    return config.IsSet(symbol) ? symbol + " is set" : "";
  }
  const size_t equals = term.find('=');
  const std::string symbol = term.substr(0, equals);
  if (equals == std::string::npos) return config.IsSet(symbol) ? "" : symbol + " is not set";
  const std::string wanted = term.substr(equals + 1);
  const std::string seen = config.Value(symbol);
  return seen == wanted ? "" : fmt::format("{} is {}, not {}", symbol, seen, wanted);
}

std::string WhyKconfigFails(const std::vector<std::string>& terms, const KernelConfig& config) {
  for (const std::string& term : terms) {
    if (std::string why = WhyKconfigFails(term, config); !why.empty()) return why;
  }
  return {};
}

}  // namespace kassay
