#include "harness/profile/profile.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <functional>
#include <map>

#include "harness/base/file.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr size_t kMaxProfileBytes = size_t{64} << 10;

tl::unexpected<Error> FailAt(const std::string& origin, const toml::source_region& where,
                             const std::string& what) {
  return Fail(fmt::format("{}:{}: {}", origin, where.begin.line, what), ExitCode::kUsage);
}

// What a profile's values are read into, one reader a key.
struct Reader {
  const std::string& origin;
  const std::string& key;
  const toml::node& node;

  Status Into(std::string& out) const {
    const auto value = node.value_exact<std::string>();
    if (!value) return Wrong("a string");
    out = *value;
    return {};
  }

  Status Into(bool& out) const {
    const auto value = node.value_exact<bool>();
    if (!value) return Wrong("true or false");
    out = *value;
    return {};
  }

  Status Into(int& out, int least, int most) const {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
      return Wrong(fmt::format("a number from {} to {}", least, most));
    }
    out = static_cast<int>(*value);
    return {};
  }

  Status Into(std::vector<std::string>& out) const {
    const auto* array = node.as_array();
    if (array == nullptr) return Wrong("an array of strings");
    for (const auto& element : *array) {
      const auto value = element.value_exact<std::string>();
      if (!value || value->empty()) return Wrong("an array of strings, none empty");
      out.push_back(*value);
    }
    return {};
  }

  tl::unexpected<Error> Wrong(const std::string& expected) const {
    return FailAt(origin, node.source(), fmt::format("'{}' must be {}", key, expected));
  }
};

Status ReadBoot(const Reader& in, std::string& boot) {
  KASSAY_CHECK(in.Into(boot));
  if (boot != "direct" && boot != "bzimage") return in.Wrong("\"direct\" or \"bzimage\"");
  return {};
}

// Fixture files are named relative to fixtures/ and may not lead out of it.
Status ReadFiles(const Reader& in, std::vector<std::string>& files) {
  KASSAY_CHECK(in.Into(files));
  for (const fs::path file : files) {
    if (file.is_absolute() ||
        std::any_of(file.begin(), file.end(), [](const fs::path& part) { return part == ".."; })) {
      return in.Wrong("paths below fixtures/, without '..'");
    }
  }
  return {};
}

using ReadKey = std::function<Status(const Reader&, Profile&)>;

const std::map<std::string, ReadKey>& Keys() {
  static const std::map<std::string, ReadKey> keys = {
      {"description", [](const Reader& in, Profile& to) { return in.Into(to.description); }},
      {"memory_mib",
       [](const Reader& in, Profile& to) { return in.Into(to.memory_mib, 128, 65536); }},
      {"cpus", [](const Reader& in, Profile& to) { return in.Into(to.cpus, 1, 64); }},
      {"command_line", [](const Reader& in, Profile& to) { return in.Into(to.command_line); }},
      {"modules", [](const Reader& in, Profile& to) { return in.Into(to.modules); }},
      {"image_modules", [](const Reader& in, Profile& to) { return in.Into(to.image_modules); }},
      {"files", [](const Reader& in, Profile& to) { return ReadFiles(in, to.files); }},
      {"disk_mib", [](const Reader& in, Profile& to) { return in.Into(to.disk_mib, 0, 1 << 20); }},
      {"boot", [](const Reader& in, Profile& to) { return ReadBoot(in, to.boot); }},
      {"certification", [](const Reader& in, Profile& to) { return in.Into(to.certification); }},
  };
  return keys;
}

std::string KnownKeys() {
  std::string list;
  for (const auto& [key, read] : Keys()) list += (list.empty() ? "" : ", ") + key;
  return list;
}

std::string KnownProfiles(const fs::path& dir) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored)) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

bool IsProfileName(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

}  // namespace

Result<Profile> ParseProfile(std::string_view toml, const std::string& name,
                             const std::string& origin) {
  toml::table table;
  try {
    table = toml::parse(toml, origin);
  } catch (const toml::parse_error& error) {
    return FailAt(origin, error.source(), std::string(error.description()));
  }
  Profile profile;
  profile.name = name;
  for (const auto& [toml_key, node] : table) {
    const std::string key(toml_key.str());
    const auto known = Keys().find(key);
    if (known == Keys().end()) {
      return FailAt(origin, toml_key.source(),
                    fmt::format("unknown key '{}'; known are {}", key, KnownKeys()));
    }
    KASSAY_CHECK(known->second(Reader{origin, key, node}, profile));
  }
  return profile;
}

Result<Profile> LoadProfile(const fs::path& profiles_dir, const std::string& name) {
  const fs::path file = profiles_dir / (name + ".toml");
  std::error_code ignored;
  if (!IsProfileName(name) || !fs::exists(file, ignored)) {
    return Fail(fmt::format("unknown profile '{}'; known in {} are: {}", name,
                            profiles_dir.string(), KnownProfiles(profiles_dir)),
                ExitCode::kUsage);
  }
  KASSAY_TRY(const std::string text, ReadFile(file, kMaxProfileBytes));
  return ParseProfile(text, name, file.string());
}

}  // namespace kassay
