#include "suites/support/compile/kernel_headers.h"
#include "harness/protocol/suite_program.h"

#include <cstdlib>
#include <fstream>
#include <string_view>

namespace kassay::compile {
namespace fs = std::filesystem;
namespace {

std::string Environment(const char* name) {
  const char* value =
      std::getenv(name);  // NOLINT(concurrency-mt-unsafe): set before the suite started
  return value == nullptr ? std::string() : std::string(value);
}

// linux-headers-7.0.13+deb13-cloud-amd64 belongs to linux-headers-7.0.13+deb13-common: the common
// part of the names is the longest among the siblings.
fs::path CommonSibling(const fs::path& flavour) {
  std::error_code ignored;
  const std::string name = flavour.filename().string();
  for (const auto& entry : fs::directory_iterator(flavour.parent_path(), ignored)) {
    std::string sibling = entry.path().filename().string();
    constexpr std::string_view kCommon = "-common";
    if (!sibling.ends_with(kCommon)) continue;
    sibling.erase(sibling.size() - kCommon.size());
    if (name.starts_with(sibling + "-")) return entry.path();
  }
  return {};
}

fs::path SourceOf(const fs::path& tree) {
  if (fs::exists(tree / "include/linux/kconfig.h")) return tree;
  if (fs::exists(tree / "source/include/linux/kconfig.h")) return tree / "source";
  return CommonSibling(tree);
}

}  // namespace

KernelHeaders FindKernelHeaders() {
  KernelHeaders headers;
  headers.generated = Environment(kHeadersVariable);
  if (headers.generated.empty()) {
    headers.problem =
        std::string(kHeadersVariable) + " is not set: this kernel came without headers";
  } else if (!fs::exists(headers.generated / "include/generated/autoconf.h")) {
    headers.problem = headers.generated.string() + " holds no include/generated/autoconf.h";
  } else {
    headers.source = SourceOf(headers.generated);
    if (headers.source.empty())
      headers.problem = "no -common headers beside " + headers.generated.string();
  }
  return headers;
}

std::string AutoConfValue(const KernelHeaders& headers, const std::string& symbol) {
  std::ifstream file(headers.generated / "include/config/auto.conf");
  const std::string start = symbol + "=";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(start)) return line.substr(start.size());
  }
  return "";
}

std::string ClangProgram() {
  const std::string given = Environment(kClangVariable);
  return given.empty() ? "clang-22" : given;
}

bool DefinesMacro(const KernelHeaders& headers, const std::string& header,
                  const std::string& name) {
  std::ifstream file(headers.source / header);
  const std::string start = "#define " + name + "(";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(start)) return true;
  }
  return false;
}

std::vector<std::string> ModuleFlags(const KernelHeaders& headers) {
  const std::string source = headers.source.string();
  const std::string generated = headers.generated.string();
  return {"-nostdinc",
          "-I" + source + "/arch/x86/include",
          "-I" + generated + "/arch/x86/include/generated",
          "-I" + source + "/include",
          "-I" + generated + "/include",
          "-I" + source + "/arch/x86/include/uapi",
          "-I" + generated + "/arch/x86/include/generated/uapi",
          "-I" + source + "/include/uapi",
          "-I" + generated + "/include/generated/uapi",
          "-include",
          source + "/include/linux/compiler-version.h",
          "-include",
          source + "/include/linux/kconfig.h",
          "-include",
          source + "/include/linux/compiler_types.h",
          "-D__KERNEL__",
          "-DMODULE",
          "-DKBUILD_MODFILE=\"case\"",
          "-DKBUILD_BASENAME=\"case\"",
          "-DKBUILD_MODNAME=\"case\"",
          "-D__KBUILD_MODNAME=kmod_case",
          "-std=gnu11",
          "-fshort-wchar",
          "-funsigned-char",
          "-fms-extensions",
          "-fno-strict-aliasing",
          "-mcmodel=kernel",
          "-mno-red-zone",
          "-mno-sse"};
}

}  // namespace kassay::compile
