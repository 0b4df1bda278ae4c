// results/FINDINGS.md says of each known bug what the catalogues' errata say.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "harness/base/file.h"
#include "harness/suite/name_pattern.h"
#include "harness/suite/selection.h"

namespace kassay {
namespace {

using ::testing::ContainerEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kNotYet = "not yet";

std::string Trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(' ');
  return from == std::string::npos ? "" : text.substr(from, text.find_last_not_of(' ') + 1 - from);
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// "| a | b \| c |" are two cells.
std::vector<std::string> CellsOf(const std::string& row) {
  std::vector<std::string> cells(1);
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (row[i] == '|' && row[i - 1] != '\\') {
      cells.back() = Trimmed(cells.back());
      cells.emplace_back();
    } else {
      cells.back() += row[i];
    }
  }
  cells.pop_back();
  return cells;
}

// What stands in backticks.
std::vector<std::string> NamesIn(const std::string& cell) {
  std::vector<std::string> names;
  std::istringstream in(cell);
  std::string part;
  for (bool name = false; std::getline(in, part, '`'); name = !name) {
    if (name) names.push_back(part);
  }
  return names;
}

std::set<std::string> SplitAtCommas(const std::string& cell) {
  std::set<std::string> parts;
  std::istringstream in(cell);
  for (std::string part; std::getline(in, part, ',');) parts.insert(Trimmed(part));
  return parts;
}

std::vector<Suite> AllSuites() {
  const Installation installation{KASSAY_BUILT_DATA_DIR, KASSAY_BUILT_LIBEXEC_DIR, {}, {}, {}};
  std::istringstream words(KASSAY_BUILT_SUITES);
  std::vector<Suite> suites;
  for (std::string name; words >> name;) {
    auto suite = LoadSuite(installation, name);
    EXPECT_TRUE(suite) << suite.error().message;
    if (suite) suites.push_back(*std::move(suite));
  }
  return suites;
}

bool Shows(const ListedCase& listed, const Erratum& erratum) {
  return erratum.cases.empty() ||
         std::any_of(erratum.cases.begin(), erratum.cases.end(),
                     [&](const std::string& glob) { return GlobMatches(glob, listed.name); });
}

using Errata = std::vector<const Erratum*>;

// The errata that the cases of one suite which match `glob` can show.
Errata ErrataOf(const Suite& suite, const std::string& glob, int& matched) {
  Errata errata;
  for (const ListedCase& listed : suite.list.cases) {
    if (!GlobMatches(glob, listed.name)) continue;
    ++matched;
    for (const std::string& id : listed.requirements) {
      const Requirement* requirement = suite.catalogue.FindRequirement(id);
      if (requirement == nullptr) continue;
      for (const Erratum& erratum : requirement->errata) {
        if (Shows(listed, erratum)) errata.push_back(&erratum);
      }
    }
  }
  return errata;
}

// The same of a row's last cell: `suite` `Case.*`, ...; a suite's name holds until the next one.
Errata ErrataOfRow(const std::vector<Suite>& suites, const std::string& cell) {
  Errata errata;
  std::string named;
  for (const std::string& name : NamesIn(cell)) {
    const bool is_suite = std::any_of(suites.begin(), suites.end(), [&](const Suite& suite) {
      return suite.catalogue.suite == name;
    });
    if (is_suite) {
      named = name;
      continue;
    }
    std::set<std::string> of;
    for (const Suite& suite : suites) {
      if (!named.empty() && suite.catalogue.suite != named) continue;
      int matched = 0;
      const Errata more = ErrataOf(suite, name, matched);
      errata.insert(errata.end(), more.begin(), more.end());
      if (matched > 0) of.insert(suite.catalogue.suite);
    }
    EXPECT_THAT(of, SizeIs(1)) << "suites that have a case " << name
                               << "; name the suite before it";
  }
  return errata;
}

// The versions at the beginning of "6.12.117, 7.2.12 (RSA; not 7.0.13)", which names two; a range
// names its ends.
std::vector<std::string> VersionsIn(const std::string& cell) {
  std::vector<std::string> versions;
  std::istringstream in(cell.substr(0, cell.find_first_of(";(")));
  for (std::string word; in >> word;) {
    if (word.ends_with(',')) word.pop_back();
    if (ParseStrictVersion(word)) versions.push_back(word);
  }
  return versions;
}

std::vector<std::string> Findings() {
  const auto text = ReadFile(KASSAY_FINDINGS);
  EXPECT_TRUE(text) << text.error().message;
  return text ? LinesOf(*text) : std::vector<std::string>();
}

TEST(Findings, BeginWithTheirTitleAndEachTableWithItsHead) {
  const std::vector<std::string> lines = Findings();
  ASSERT_THAT(lines, Not(IsEmpty()));
  EXPECT_THAT(lines[0], StartsWith("# "));
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const bool begins = lines[i].starts_with('|') && !lines[i - 1].starts_with('|');
    if (!begins) continue;
    EXPECT_THAT(CellsOf(lines[i]), ElementsAre("what happens", "seen on", "fixed", "cases"))
        << "line " << i + 1;
  }
}

TEST(Findings, AreFixedAndSeenWhereTheErrataSay) {
  const std::vector<Suite> suites = AllSuites();
  int rows = 0;
  for (const std::string& line : Findings()) {
    if (!line.starts_with("| ") || line.starts_with("| ---")) continue;
    const std::vector<std::string> cells = CellsOf(line);
    ASSERT_THAT(cells, SizeIs(4)) << line;
    if (cells[2] == "fixed") continue;
    ++rows;
    const Errata errata = ErrataOfRow(suites, cells[3]);
    std::set<std::string> fixed;
    for (const Erratum* erratum : errata)
      fixed.insert(erratum->fixed.empty() ? kNotYet : erratum->fixed);
    EXPECT_THAT(SplitAtCommas(cells[2]), ContainerEq(fixed)) << line;
    if (errata.empty()) continue;
    const std::vector<std::string> seen = VersionsIn(cells[1]);
    EXPECT_THAT(seen, Not(IsEmpty())) << line;
    for (const std::string& version : seen) {
      EXPECT_TRUE(std::any_of(errata.begin(), errata.end(),
                              [&](const Erratum* erratum) {
                                return erratum->affected.Matches(*ParseStrictVersion(version));
                              }))
          << "seen on " << version << ", which the errata leave out: " << line;
    }
  }
  EXPECT_GT(rows, 30);
}

}  // namespace
}  // namespace kassay
