// The images of medium.h, made on the build host with the tools of their file systems.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "suites/fs_verity/medium.h"
#include "suites/support/compile/tool.h"
#include "suites/support/prepare.h"

namespace kassay::verity {
namespace {

// Fixed, so that one image is like the other.
constexpr const char* kUuid = "6b617373-6179-4653-8056-455249545921";

struct Recipe {
  Kind kind;
  std::uint64_t mib;
  std::vector<std::string> tool;  // the image's path follows
  const char* package;
};

std::vector<std::string> Mke2fs(const std::string& block_size, const std::string& feature) {
  return {"mke2fs",
          "-q",
          "-F",
          "-t",
          "ext4",
          "-b",
          block_size,
          "-N",
          "256",
          "-J",
          "size=4",
          "-m",
          "0",
          "-O",
          "has_journal,extent" + feature,
          "-U",
          kUuid,
          "-E",
          "lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"};
}

std::vector<Recipe> Recipes() {
  return {
      {Kind::kExt4, 32, Mke2fs("4096", ",verity"), "e2fsprogs"},
      {Kind::kExt4Small, 32, Mke2fs("1024", ",verity"), "e2fsprogs"},
      {Kind::kExt4NoFeature, 16, Mke2fs("4096", ""), "e2fsprogs"},
      {Kind::kBtrfs,
       128,
       {"mkfs.btrfs", "-q", "-f", "-m", "single", "-d", "single", "-U", kUuid},
       "btrfs-progs"},
  };
}

std::string Make(const Recipe& recipe, const std::string& folder) {
  const compile::ScratchFolder scratch;
  const std::string image = (scratch.path() / "image").string();
  const UniqueFd file(open(image.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (ftruncate(file.Get(), static_cast<off_t>(recipe.mib << 20)) != 0)
    return "cannot make an image of a file system";
  std::vector<std::string> arguments = recipe.tool;
  arguments.push_back(image);
  const Result<compile::ToolRun> run = compile::RunTool(arguments, scratch.path());
  if (!run) return recipe.tool[0] + " is missing: apt-get install " + std::string(recipe.package);
  if (!run->status.Succeeded()) return recipe.tool[0] + ": " + run->output.substr(0, 200);
  const Status packed = Pack(image, folder + "/" + NameOf(recipe.kind) + ".packed");
  return packed ? "" : packed.error().message;
}

KASSAY_PREPARE() {
  // The tools are the administrator's, and not in everybody's path.
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): one thread
  const std::string wider = std::string(path == nullptr ? "/usr/bin" : path) + ":/usr/sbin:/sbin";
  setenv("PATH", wider.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  for (const Recipe& recipe : Recipes()) {
    if (const std::string problem = Make(recipe, folder); !problem.empty()) return problem;
  }
  return "";
}

}  // namespace
}  // namespace kassay::verity
