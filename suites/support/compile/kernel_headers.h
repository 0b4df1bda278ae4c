// The headers of the kernel under test, as a build of an external module sees them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kassay::compile {

struct KernelHeaders {
  std::filesystem::path generated;  // holds include/generated and include/config
  std::filesystem::path source;     // holds include/linux

  // Why the headers cannot be used, for a person; empty if they can.
  std::string problem;
};

[[nodiscard]] KernelHeaders FindKernelHeaders();

// A line of include/config/auto.conf: "y", "m", a number; "" where the symbol is not there.
[[nodiscard]] std::string AutoConfValue(const KernelHeaders& headers, const std::string& symbol);

[[nodiscard]] std::string ClangProgram();

// True if `header` of the tree holds "#define NAME".
[[nodiscard]] bool DefinesMacro(const KernelHeaders& headers, const std::string& header,
                                const std::string& name);

// Preprocessor and dialect flags of an external module's object, as scripts/Makefile.lib and
// arch/x86/Makefile of the tree give them; nothing about the analysis.
[[nodiscard]] std::vector<std::string> ModuleFlags(const KernelHeaders& headers);

}  // namespace kassay::compile
