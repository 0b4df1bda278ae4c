#include "harness/profile/profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/file.h"
#include "harness/base/text/toml_reader.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// Fixture files are named relative to fixtures/ and may not lead out of it.
bool StaysBelow(const fs::path& file) {
  return file.is_relative() &&
         std::none_of(file.begin(), file.end(), [](const fs::path& part) { return part == ".."; });
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
  KASSAY_TRY(const toml::table table, ParseToml(toml, origin));
  std::string problem;
  TomlReader reader(table, origin, problem);
  Profile profile;
  profile.name = name;
  profile.description = reader.Text("description", /*required=*/false);
  profile.memory_mib =
      static_cast<int>(reader.Number("memory_mib", 128, 65536, profile.memory_mib));
  profile.cpus = static_cast<int>(reader.Number("cpus", 1, 64, profile.cpus));
  const std::string cpu = reader.Text("cpu", /*required=*/false);
  if (table.contains("cpu")) profile.cpu = cpu;
  if (const std::string why = WhyNotCpuModel(profile.cpu); !why.empty())
    reader.Complain("cpu", why);
  profile.command_line = reader.Texts("command_line", /*required=*/false);
  profile.modules = reader.Texts("modules", /*required=*/false);
  profile.image_modules = reader.Texts("image_modules", /*required=*/false);
  profile.files = reader.Texts("files", /*required=*/false);
  profile.disk_mib = static_cast<int>(reader.Number("disk_mib", 0, 1 << 20, profile.disk_mib));
  profile.firmware = reader.OneOf("firmware", {"uefi", "uefi-secure-boot"}, "");
  const std::string usual = profile.firmware.empty() ? "direct" : "bzimage";
  profile.boot = reader.OneOf("boot", {"direct", "bzimage"}, usual);
  profile.enroll = reader.Texts("enroll", /*required=*/false);
  if (!profile.firmware.empty() && profile.boot == "direct")
    reader.Complain("boot", "is \"direct\", which goes past the firmware");
  if (profile.firmware.empty() != profile.enroll.empty())
    reader.Complain(profile.firmware.empty() ? "enroll" : "firmware",
                    profile.firmware.empty() ? "needs a firmware to be enrolled in"
                                             : "needs a certificate to enroll");
  if (!std::all_of(profile.enroll.begin(), profile.enroll.end(), StaysBelow))
    reader.Complain("enroll", "leads out of fixtures/");
  if (!std::all_of(profile.files.begin(), profile.files.end(), StaysBelow))
    reader.Complain("files", "leads out of fixtures/");
  reader.Finish();
  if (!problem.empty()) return Fail(problem, ErrorKind::kUsage);
  return profile;
}

std::string WhyNotCpuModel(std::string_view text) {
  constexpr size_t kMost = 512;
  if (text.empty()) return "is empty";
  if (text.size() > kMost) return fmt::format("is longer than {} bytes", kMost);
  const bool visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!visible) return "holds more than visible ASCII characters";
  // "-max" would be another option, "help" and "?" print a list and start no machine.
  if (std::isalnum(static_cast<unsigned char>(text[0])) == 0 || text == "help")
    return "is no CPU model; `qemu-system-x86_64 -cpu help` lists them";
  return {};
}

ProfileChanges ChangesOf(const Profile& profile) {
  ProfileChanges changes{profile.command_line, profile.modules, profile.files, profile.enroll};
  changes.modules.insert(changes.modules.end(), profile.image_modules.begin(),
                         profile.image_modules.end());
  return changes;
}

Result<Profile> LoadProfile(const fs::path& profiles_dir, const std::string& name) {
  const fs::path file = profiles_dir / (name + ".toml");
  std::error_code ignored;
  if (!IsProfileName(name) || !fs::exists(file, ignored)) {
    return Fail(fmt::format("unknown profile '{}'; known in {} are: {}", name,
                            profiles_dir.string(), KnownProfiles(profiles_dir)),
                ErrorKind::kUsage);
  }
  KASSAY_TRY(const std::string text, ReadFile(file, kMaxTomlBytes));
  return ParseProfile(text, name, file.string());
}

}  // namespace kassay
