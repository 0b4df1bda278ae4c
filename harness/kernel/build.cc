#include "harness/kernel/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>

#include "harness/base/file.h"
#include "harness/base/find_program.h"
#include "harness/base/interrupt.h"
#include "harness/base/process/program.h"
#include "harness/base/sha256.h"
#include "harness/base/text/line_cutter.h"
#include "harness/kernel/build_config.h"
#include "harness/kernel/build_source.h"
#include "harness/kernel/folder.h"
#include "harness/kernel/locate.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// Goes into the key: raise it when the steps below change what comes out.
constexpr std::string_view kRecipe = "1";
constexpr std::string_view kMinimal = "minimal";

// make removes half-written targets on SIGTERM.
constexpr std::chrono::seconds kMakeGrace{10};

// The first line that a program prints, e.g. of `gcc --version`; empty if it does not run.
std::string FirstLineOf(const Command& command) {
  const auto outcome = RunProgram(command, {.time = std::chrono::minutes(1)});
  if (!outcome || !outcome->ending.Succeeded()) return {};
  return outcome->standard_output.substr(0, outcome->standard_output.find('\n'));
}

// Of make and what it runs. Names of files have an "error" in them too: "CC  tools/str_error_r.o".
bool IsErrorLine(std::string_view line) {
  constexpr std::array kMarks = {"rror: ", "errors", "*** ", ": not found", ": command not found"};
  return std::ranges::any_of(
      kMarks, [&](const char* mark) { return line.find(mark) != std::string_view::npos; });
}

// What compresses the image, as scripts/Makefile.lib of the kernel calls it (KLZ4 and its kin in
// its Makefile).
Status CheckCompressor(const KernelConfig& config) {
  constexpr std::array<std::array<const char*, 2>, 7> kCompressors = {{
      {"CONFIG_KERNEL_BZIP2", "bzip2"},
      {"CONFIG_KERNEL_GZIP", "gzip"},
      {"CONFIG_KERNEL_LZ4", "lz4"},
      {"CONFIG_KERNEL_LZMA", "lzma"},
      {"CONFIG_KERNEL_LZO", "lzop"},
      {"CONFIG_KERNEL_XZ", "xz"},
      {"CONFIG_KERNEL_ZSTD", "zstd"},
  }};
  for (const auto& [option, program] : kCompressors) {
    if (config.Value(option) == "y" && FindProgram(program).empty())
      return Fail(fmt::format("'{}' is not installed, and {} takes it", program, option));
  }
  return {};
}

// Appends what the program says to `log` and hands it on line by line. A failure names its first
// error line and the log.
Status RunLogged(const Command& command, const fs::path& log,
                 const std::function<void(std::string_view)>& on_line) {
  const std::string& program = command.argv[0];
  std::ofstream file(log, std::ios::app | std::ios::binary);
  if (!file) return Fail("cannot write " + log.string());
  if (FindProgram(program).empty()) return Fail(fmt::format("'{}' is not installed", program));
  // The first error is the cause; what follows is its consequence.
  std::string error;
  LineCutter lines(size_t{64} << 10, [&](const std::string& line) {
    if (error.empty() && IsErrorLine(line)) error = line;
    on_line(line);
  });
  KASSAY_TRY(const Ending ending,
             StreamProgram(command, {.time = std::nullopt, .grace = kMakeGrace},
                           [&](std::string_view bytes) {
                             // Whoever watches the log sees where it is.
                             file << bytes << std::flush;
                             lines.Add(bytes);
                             return true;
                           }));
  if (ending.Succeeded()) return {};
  return Fail(fmt::format("'{}' failed: {}; all of it is in {}", program,
                          error.empty() ? "no error line" : error, log.string()));
}

// What a build is made from.
struct Recipe {
  std::vector<PinnedFile> pinned;
  fs::path source;  // the user's own; empty with `pinned`
  Fragments fragments;
  std::vector<std::string> base;  // fragments of the source itself, which come before ours
  std::string trusted;            // PEM certificates; empty: the kernel trusts only its module key
  std::string signing_key;        // PEM key and certificate
  fs::path folder;                // its name has a hash of all of it and of the compiler
};

Result<PinnedKernel> PinWithSource(const KernelStore& store, const std::string& version) {
  KASSAY_TRY(const std::vector<PinnedKernel> pins, store.Pinned());
  std::string known;
  for (const PinnedKernel& pin : pins) {
    if (pin.source.empty()) continue;
    if (pin.name == version || pin.name.starts_with(version + ".")) return pin;
    known += (known.empty() ? "" : ", ") + pin.name;
  }
  return Fail(
      fmt::format("no source is pinned for '{}': known are {}; or give --source", version, known),
      ErrorKind::kUsage);
}

Result<std::string> IdOfSource(const fs::path& source) {
  std::error_code error;
  const fs::path absolute = fs::canonical(source, error);
  if (error) return Fail("no source '" + source.string() + "'", ErrorKind::kUsage);
  if (fs::is_regular_file(absolute)) return Sha256HexOfFile(absolute);
  if (!fs::exists(absolute / "Kconfig"))
    return Fail(source.string() + " is no kernel source: it has no Kconfig", ErrorKind::kUsage);
  // A tree may change from build to build; make finds out what to do again.
  return "tree " + absolute.string();
}

Result<Recipe> MakeRecipe(const StoreOptions& store, const BuildOptions& options) {
  Recipe recipe;
  recipe.source = options.source;
  std::string title;  // for people
  std::string source_id;
  if (options.source.empty()) {
    KASSAY_TRY(const PinnedKernel pin, PinWithSource(KernelStore(store), options.version));
    title = options.version;
    recipe.pinned = pin.source;
    for (const PinnedFile& file : pin.source) source_id += file.sha256;
  } else {
    title = fs::path(options.source / "").parent_path().stem();
    KASSAY_TRY(source_id, IdOfSource(options.source));
  }
  if (options.variant.empty()) {
    KASSAY_TRY(recipe.fragments, ReadFragments(store.kconfig_dir));
    KASSAY_TRY(recipe.trusted, ReadFile(store.fixtures_dir / "certificates" / "trusted.pem"));
  } else if (options.variant == kMinimal) {
    title += "-minimal";
    // What `make tinyconfig` is made of (scripts/kconfig/Makefile).
    recipe.base = {"kernel/configs/tiny-base.config", "kernel/configs/tiny.config",
                   "arch/x86/configs/tiny.config"};
    KASSAY_TRY(const std::string suites, store.suites_fragment());
    KASSAY_TRY(recipe.fragments, MinimalFragments(store.kconfig_dir, suites));
  } else {
    return Fail(fmt::format("no variant '{}': known is minimal", options.variant),
                ErrorKind::kUsage);
  }
  KASSAY_TRY(recipe.signing_key, ReadFile(store.fixtures_dir / "keys" / "module-signing.pem"));
  const std::string compiler = FirstLineOf({.argv = {"gcc", "--version"}});
  if (Interrupted()) return Fail(Interruption());
  if (compiler.empty()) return Fail("a kernel is built with gcc, and 'gcc --version' does not run");
  Sha256 key;
  for (const std::string_view part :
       {kRecipe, std::string_view(source_id), std::string_view(recipe.fragments.text),
        std::string_view(recipe.trusted), std::string_view(recipe.signing_key),
        std::string_view(compiler)}) {
    key.Update(std::to_string(part.size()) + ":");
    key.Update(part);
  }
  recipe.folder = store.cache_dir / "builds" / (title + "-" + key.Hex().substr(0, 16));
  return recipe;
}

fs::path RootOf(const fs::path& folder) { return folder / "root"; }
fs::path ObjectsOf(const fs::path& folder) { return folder / "objects"; }

class Builder {
 public:
  Builder(const StoreOptions& store, const BuildOptions& options, const Recipe& recipe)
      : store_(store), options_(options), recipe_(recipe) {}

  Result<BuiltKernel> Run() {
    std::error_code error;
    fs::create_directories(Objects() / "kassay", error);
    if (error) return Fail("cannot make " + Objects().string() + ": " + error.message());
    KASSAY_CHECK(GetSource());
    KASSAY_CHECK(Configure());
    Tell("compile");
    KASSAY_CHECK(Make({"bzImage", "modules"}));
    KASSAY_CHECK(Install());
    return BuiltKernel{RootOf(recipe_.folder), Log(), false, unmet_};
  }

 private:
  [[nodiscard]] fs::path Objects() const { return ObjectsOf(recipe_.folder); }
  [[nodiscard]] fs::path Log() const { return recipe_.folder / "build.log"; }

  void Tell(const std::string& stage, std::string_view line = {}) {
    if (options_.on_progress) options_.on_progress({stage, objects_, std::string(line)});
  }

  Status GetSource() {
    Tell("source");
    fs::path package = recipe_.source;
    if (package.empty()) {
      KASSAY_TRY(const std::vector<fs::path> files, KernelStore(store_).Fetch(recipe_.pinned));
      package = files.at(0);
    }
    if (fs::is_directory(package)) {
      source_ = fs::canonical(package);
      return {};
    }
    // One source for every build of it.
    source_ = store_.cache_dir / "sources" / package.stem();
    KASSAY_TRY(const UniqueFd lock, Lock(source_));
    if (fs::exists(source_ / "Kconfig")) return {};
    return UnpackSource(package, source_);
  }

  Status Configure() {
    Tell("config");
    // Named relative to the build folder, so that /proc/config.gz is the same everywhere.
    std::string keys = "CONFIG_MODULE_SIG_KEY=\"kassay/module-signing.pem\"\n";
    if (!recipe_.trusted.empty()) {
      keys += "CONFIG_SYSTEM_TRUSTED_KEYS=\"kassay/trusted.pem\"\n";
      KASSAY_CHECK(Refresh(Objects() / "kassay" / "trusted.pem", recipe_.trusted));
    }
    KASSAY_CHECK(Refresh(Objects() / "kassay" / "module-signing.pem", recipe_.signing_key));
    std::string base;
    for (const std::string& name : recipe_.base) {
      KASSAY_TRY(const std::string text, ReadFile(source_ / name, size_t{1} << 20));
      base += text + "\n";
    }
    const fs::path wishes = Objects() / "kassay" / "wishes.config";
    KASSAY_CHECK(Refresh(wishes, base + recipe_.fragments.text + keys));
    KASSAY_CHECK(Make({"allnoconfig"}, {{"KCONFIG_ALLCONFIG", wishes.string()}}));
    KASSAY_TRY(const std::string text, ReadFile(Objects() / ".config"));
    KASSAY_TRY(const KernelConfig config, KernelConfig::Parse(text));
    KASSAY_CHECK(CheckCompressor(config));  // rather than after all has been compiled
    unmet_ = UnmetWishes(recipe_.fragments, config);
    if (unmet_.empty() || !recipe_.source.empty()) return {};
    return Fail(fmt::format("this source does not take {} of the fragments' options: {}",
                            unmet_.size(), fmt::join(unmet_, ", ")));
  }

  // A file that is as it should be keeps its time: make would compile what depends on it again.
  static Status Refresh(const fs::path& file, const std::string& bytes) {
    if (const auto old = ReadFile(file); old && *old == bytes) return {};
    return WriteFileAtomically(file, bytes);
  }

  Status Make(const std::vector<std::string>& targets,
              const std::map<std::string, std::string>& environment = {}) {
    const int jobs =
        options_.jobs > 0 ? options_.jobs : static_cast<int>(std::thread::hardware_concurrency());
    Command make{.argv = {"make", "-C", source_.string(), "O=" + fs::absolute(Objects()).string(),
                          fmt::format("-j{}", std::max(jobs, 1))},
                 .environment = environment};
    if (!FirstLineOf({.argv = {"ccache", "--version"}}).empty())
      make.argv.emplace_back("CC=ccache gcc");
    make.argv.insert(make.argv.end(), targets.begin(), targets.end());
    // The same bytes from the same recipe, whoever builds and when.
    make.environment.insert({{"KBUILD_BUILD_TIMESTAMP", "2026-01-01"},
                             {"KBUILD_BUILD_USER", "kassay"},
                             {"KBUILD_BUILD_HOST", "kassay"},
                             {"LC_ALL", "C"},
                             {"MAKEFLAGS", ""}});
    return RunLogged(make, Log(), [&](std::string_view line) {
      const std::size_t begin = line.find_first_not_of(' ');
      if (begin == std::string_view::npos) return;
      line.remove_prefix(begin);
      if (!line.starts_with("CC ") && !line.starts_with("AS ")) return;
      ++objects_;
      Tell("compile", line);
    });
  }

  // lib/modules/RELEASE with image, configuration and signed modules, as packages have it.
  Status Install() {
    Tell("install");
    return MakeFolderAtomically(RootOf(recipe_.folder), [&](const fs::path& root) -> Status {
      // depmod is not asked for: kassay reads the modules themselves.
      KASSAY_CHECK(Make(
          {"modules_install", "INSTALL_MOD_PATH=" + fs::absolute(root).string(), "DEPMOD=true"}));
      KASSAY_TRY(std::string release, ReadFile(Objects() / "include/config/kernel.release", 4096));
      release = release.substr(0, release.find('\n'));
      const fs::path modules = root / "lib/modules" / release;
      std::error_code error;
      fs::remove(modules / "build", error);
      fs::remove(modules / "source", error);
      fs::copy_file(Objects() / "arch/x86/boot/bzImage", modules / "vmlinuz", error);
      if (!error) fs::copy_file(Objects() / ".config", modules / "config", error);
      if (error) return Fail("cannot install the kernel: " + error.message());
      return {};
    });
  }

  const StoreOptions& store_;
  const BuildOptions& options_;
  const Recipe& recipe_;
  fs::path source_;
  int objects_ = 0;
  std::vector<std::string> unmet_;
};

}  // namespace

BuildOptions ReferenceBuild(std::string_view name) {
  BuildOptions options;
  const size_t slash = name.find('/');
  options.version = name.substr(0, slash);
  if (slash != std::string_view::npos) options.variant = name.substr(slash + 1);
  return options;
}

Result<BuiltKernel> BuildKernel(const StoreOptions& store, const BuildOptions& options) {
  KASSAY_TRY(const Recipe recipe, MakeRecipe(store, options));
  const fs::path& folder = recipe.folder;
  KASSAY_TRY(const UniqueFd lock, Lock(folder));
  const bool source_is_fixed = options.source.empty() || fs::is_regular_file(options.source);
  if (source_is_fixed && FilesOfRoot(RootOf(folder)))
    return BuiltKernel{RootOf(folder), folder / "build.log", true, {}};
  return Builder(store, options, recipe).Run();
}

Result<fs::path> FindBuiltKernel(const StoreOptions& store, const BuildOptions& options) {
  KASSAY_TRY(const Recipe recipe, MakeRecipe(store, options));
  const fs::path root = RootOf(recipe.folder);
  if (FilesOfRoot(root)) return root;
  return Fail(
      fmt::format("the reference kernel {} is not built yet: run 'kassay kernel build {}{}' "
                  "(about fifteen minutes of CPU time, once)",
                  options.version, options.version,
                  options.variant.empty() ? "" : " --variant " + options.variant));
}

Result<std::vector<std::string>> BuiltReferences(const StoreOptions& store) {
  KASSAY_TRY(const std::vector<PinnedKernel> pins, KernelStore(store).Pinned());
  std::vector<std::string> specs;
  for (const PinnedKernel& pin : pins) {
    if (pin.source.empty()) continue;
    const std::string version = pin.name.substr(0, pin.name.find('.', pin.name.find('.') + 1));
    for (const std::string& name : {version, version + "/" + std::string(kMinimal)})
      if (FindBuiltKernel(store, ReferenceBuild(name))) specs.push_back("reference:" + name);
  }
  return specs;
}

fs::path BuildTreeOf(const fs::path& root) { return ObjectsOf(root.parent_path()); }

}  // namespace kassay
