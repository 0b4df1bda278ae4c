#include "harness/suite/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/file.h"
#include "harness/base/text/toml_reader.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

std::optional<KernelVersion> VersionAt(TomlReader& reader, const char* key) {
  const std::string text = reader.Text(key, /*required=*/false);
  if (text.empty()) return std::nullopt;
  const auto version = ParseStrictVersion(text);
  if (version) return *version;
  reader.Complain(key, "is no version: " + version.error().message);
  return std::nullopt;
}

std::vector<std::string> KconfigAt(TomlReader& reader, const char* key = "kconfig") {
  std::vector<std::string> terms = reader.Texts(key, /*required=*/false);
  for (const std::string& term : terms) {
    if (term.find("CONFIG_") != (term.starts_with('!') ? 1U : 0U))
      reader.Complain(key,
                      fmt::format("has '{}', not CONFIG_X, CONFIG_X=value or !CONFIG_X", term));
  }
  return terms;
}

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
    TomlReader reader(root, file_, problem_, "catalogue");
    const toml::table* suite = reader.Table("suite", /*required=*/false);
    const auto features = reader.Tables("feature");
    const auto requirements = reader.Tables("requirement");
    reader.Finish();
    if (suite != nullptr) {
      ReadSuite(*suite);
    } else {
      reader.Complain("the table [suite] is missing");
    }
    for (const toml::table* table : features) ReadFeature(*table);
    for (const toml::table* table : requirements) ReadRequirement(*table);
    return std::move(catalogue_);
  }

 private:
  void ReadSuite(const toml::table& table) {
    TomlReader reader(table, file_, problem_, "suite");
    catalogue_.suite = reader.Text("name");
    catalogue_.title = reader.Text("title");
    const std::string runs_on = reader.OneOf("runs_on", {"guest", "host"}, "guest");
    catalogue_.runs_on_host = runs_on == "host";
    catalogue_.profile = reader.Text("profile", !catalogue_.runs_on_host);
    catalogue_.kconfig = KconfigAt(reader);
    if (!IsPlainName(catalogue_.suite)) reader.Complain("name", "is not a plain name");
    reader.Finish();
  }

  void ReadFeature(const toml::table& table) {
    TomlReader reader(table, file_, problem_, "feature " + table["id"].value_or(std::string("?")));
    Feature feature;
    feature.id = reader.Text("id");
    feature.title = reader.Text("title");
    feature.since = reader.Text("since", /*required=*/false);
    feature.since_version = VersionAt(reader, "since").value_or(KernelVersion{});
    feature.kconfig = KconfigAt(reader);
    feature.needs = KconfigAt(reader, "needs");
    reader.Finish();
    if (!IsPlainName(feature.id)) reader.Complain("id", "is not a plain name");
    if (catalogue_.FindFeature(feature.id) != nullptr) reader.Complain("this id is used twice");
    catalogue_.features.push_back(std::move(feature));
  }

  void ReadRequirement(const toml::table& table) {
    TomlReader reader(table, file_, problem_,
                      "requirement " + table["id"].value_or(std::string("?")));
    Requirement requirement;
    requirement.line = static_cast<int>(table.source().begin.line);
    requirement.id = reader.Text("id");
    requirement.text = reader.Text("text");
    requirement.source = reader.Text("source");
    requirement.feature = reader.Text("feature");
    requirement.essential = reader.Flag("essential");
    requirement.since = VersionAt(reader, "since");
    requirement.until = VersionAt(reader, "until");
    requirement.kconfig = KconfigAt(reader);
    requirement.untested = reader.Text("untested", /*required=*/false);
    for (const toml::table* erratum : reader.Tables("errata"))
      requirement.errata.push_back(ReadErratum(*erratum, requirement.id));
    reader.Finish();
    if (!IsPlainName(requirement.id)) reader.Complain("id", "is not a plain name");
    if (catalogue_.FindRequirement(requirement.id) != nullptr)
      reader.Complain("this id is used twice");
    if (catalogue_.FindFeature(requirement.feature) == nullptr)
      reader.Complain(fmt::format("no [[feature]] has the id '{}'", requirement.feature));
    catalogue_.requirements.push_back(std::move(requirement));
  }

  Erratum ReadErratum(const toml::table& table, const std::string& requirement) {
    TomlReader reader(table, file_, problem_, "errata of " + requirement);
    Erratum erratum;
    erratum.affects = reader.Text("affects");
    erratum.fixed = reader.Text("fixed", /*required=*/false);
    erratum.text = reader.Text("text");
    erratum.source = reader.Text("source");
    erratum.cases = reader.Texts("cases", /*required=*/false);
    reader.Finish();
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
  KASSAY_TRY(const toml::table root, ParseToml(text, file_name));
  std::string problem;
  Catalogue catalogue = CatalogueReader(file_name, problem).Read(root);
  if (!problem.empty()) return Fail(problem, ErrorKind::kUsage);
  return catalogue;
}

Result<Catalogue> LoadCatalogue(const fs::path& file) {
  const std::string folder = file.parent_path().filename();
  KASSAY_TRY(const std::string text, ReadFile(file, kMaxTomlBytes));
  KASSAY_TRY(Catalogue catalogue, ParseCatalogue(text, file.string()));
  if (catalogue.suite != folder) {
    return Fail(fmt::format("{}: the suite's name is '{}', the folder's is '{}'", file.string(),
                            catalogue.suite, folder),
                ErrorKind::kUsage);
  }
  return catalogue;
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
