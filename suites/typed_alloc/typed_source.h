// Small sources over include/linux/slab.h, compiled as an external module's object would be.
#pragma once

#include <string>
#include <string_view>

#include "suites/support/compile/compile.h"
#include "suites/support/compile/kernel_headers.h"

namespace kassay::typed_alloc {

// The warnings that the kernel's Makefile makes errors or that its documentation counts on.
[[nodiscard]] inline compile::CompileOptions TypedOptions() {
  return {
      .flags = {"-Werror=incompatible-pointer-types", "-Werror=implicit-function-declaration",
                "-Werror=incompatible-pointer-types-discards-qualifiers", "-Wconstant-conversion",
                // What Kconfig finds for clang 22.1 (init/Kconfig:CC_HAS_COUNTED_BY); a
                // gcc-configured package carries gcc's answer instead.
                "-DCONFIG_CC_HAS_COUNTED_BY=1"},
      .prelude = R"(
#include <linux/slab.h>
struct a { int v; };
struct b { long v; };
struct counted { unsigned char n; int e[] __counted_by(n); };
struct bare { unsigned char n; int e[]; };
struct fixed { int n; int e[4]; };
struct incomplete;
)"};
}

[[nodiscard]] inline ::testing::AssertionResult ReportsWhatIsAnnounced(std::string_view source) {
  return compile::ReportsWhatIsAnnounced(source, TypedOptions());
}
[[nodiscard]] inline ::testing::AssertionResult Compiles(std::string_view source) {
  return compile::IsSilent(source, TypedOptions());
}

}  // namespace kassay::typed_alloc
