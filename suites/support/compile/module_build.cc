#include "suites/support/compile/module_build.h"

#include <fstream>

#include "suites/support/compile/kernel_headers.h"
#include "suites/support/compile/tool.h"

namespace kassay::compile {
namespace fs = std::filesystem;
namespace {

// arch/x86/Makefile and the top Makefile: what an object must have to be called from the kernel.
// Mitigations are left out: they are patched in by objtool's annotations, which a module may lack.
std::vector<std::string> ObjectFlags(const ModuleBuild& build) {
  std::vector<std::string> flags = {"-c",
                                    "-O2",
                                    "-w",
                                    "-fno-common",
                                    "-fno-PIE",
                                    "-mno-mmx",
                                    "-mno-80387",
                                    "-fno-stack-protector",
                                    "-fno-asynchronous-unwind-tables",
                                    "-fno-delete-null-pointer-checks"};
  const bool clang = build.compiler.find("clang") != std::string::npos;
  flags.emplace_back(clang ? "-mstack-alignment=8" : "-mpreferred-stack-boundary=3");
  if (!clang) flags.emplace_back("-mskip-rax-setup");
  return flags;
}

// "compiler: first error", or what there is.
std::string FirstError(const std::string& tool, const Result<ToolRun>& run) {
  if (!run) return tool + " cannot be run: install it";
  const size_t at = run->output.find("error:");
  const size_t begin = at == std::string::npos ? 0 : at;
  return tool + ": " + run->output.substr(begin, run->output.find('\n', begin) - begin);
}

}  // namespace

std::string BuildModule(const ModuleBuild& build) {
  const KernelHeaders headers = FindKernelHeaders();
  if (!headers.problem.empty()) return headers.problem;
  const ScratchFolder folder;
  std::ofstream(folder.path() / "module.c") << build.source;
  std::vector<std::string> arguments = {build.compiler};
  for (const std::string& flag : ObjectFlags(build)) arguments.push_back(flag);
  for (const std::string& flag : ModuleFlags(headers)) arguments.push_back(flag);
  arguments.insert(arguments.end(), build.flags.begin(), build.flags.end());
  arguments.insert(arguments.end(), {"-o", "module.o", "module.c"});
  const Result<ToolRun> compiled = RunTool(arguments, folder.path());
  if (!compiled || !compiled->status.Succeeded()) return FirstError(build.compiler, compiled);
  const fs::path output = fs::absolute(build.output);
  const Result<ToolRun> linked =
      RunTool({"ld", "-r", "-m", "elf_x86_64", "-o", output.string(), "module.o"}, folder.path());
  if (!linked || !linked->status.Succeeded()) return FirstError("ld", linked);
  return "";
}

}  // namespace kassay::compile
