#include "suites/typed_alloc/prepared_module.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "harness/base/unique_fd.h"
#include "suites/support/compile/kernel_headers.h"
#include "suites/support/compile/module_build.h"
#include "suites/support/kernel_log.h"
#include "suites/support/prepare.h"
#include "suites/typed_alloc/module_source.h"

namespace kassay::typed_alloc {
namespace {

std::string NameOf(Builder builder) {
  return builder == Builder::kClang ? "kassay_typed_clang" : "kassay_typed_gcc";
}

}  // namespace

std::string BuildModules(const std::string& folder) {
  namespace fs = std::filesystem;
  for (const Builder builder : {Builder::kClang, Builder::kGcc}) {
    const std::string name = NameOf(builder);
    compile::ModuleBuild build;
    build.source = kModuleSource;
    build.name = name;
    build.compiler = builder == Builder::kClang ? compile::ClangProgram() : "gcc";
    build.flags = {"-DTYPED_ALLOC_NAME=\"" + name + "\""};
    if (builder == Builder::kClang) build.flags.emplace_back("-DCONFIG_CC_HAS_COUNTED_BY=1");
    build.output = fs::path(folder) / (name + ".ko");
    const std::string problem = compile::BuildModule(build);
    if (!problem.empty()) std::ofstream(fs::path(folder) / (name + ".problem")) << problem;
  }
  return "";
}

std::string WhyNotPrepared(Builder builder) {
  const std::filesystem::path folder = PreparedDir();
  if (std::filesystem::exists(folder / (NameOf(builder) + ".ko"))) return "";
  std::ifstream file(folder / (NameOf(builder) + ".problem"));
  std::string problem;
  std::getline(file, problem);
  return problem.empty() ? "the test module was not built for this kernel" : problem;
}

ModuleReport RunInKernel(Builder builder, const std::string& test) {
  ModuleReport report;
  const std::string path = PreparedDir() / (NameOf(builder) + ".ko");
  KernelLog log;
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const std::string parameters = "only=" + test;
  if (syscall(SYS_finit_module, file.Get(), parameters.c_str(), 0) != 0) report.load_errno = errno;
  report.lines = log.Lines();
  for (const std::string& line : report.lines) {
    if (line.starts_with("not ok 1 " + test)) report.result = "not ok";
    if (line.starts_with("ok 1 " + test)) {
      report.result = line.find("# SKIP") == std::string::npos ? "ok" : "skip";
    }
  }
  if (report.load_errno == 0) syscall(SYS_delete_module, NameOf(builder).c_str(), 0);
  return report;
}

}  // namespace kassay::typed_alloc
