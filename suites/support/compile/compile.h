// Compiles one small source against the kernel's headers and holds the compiler to what the source
// announces.
//
// A line that must draw a warning says so at its end, by category and a stable part of the text:
//
//   d->x = 1;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
//
// Categories: A = -Wthread-safety-analysis, P = -Wthread-safety-pointer, R =
// -Wthread-safety-precise, W = any other warning, E = an error. Several announcements may stand on
// one line. Every announcement must come true on its line, and every line without one must stay
// silent: so each source holds the mistake and its correct twin. One mistake may draw more than one
// warning; on an announced line further ones are allowed.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace kassay::compile {

struct Diagnostic {
  int line = 0;          // in the case's own source, 0 if it is in a header
  std::string kind;      // "error" or "warning"
  std::string text;      // without the trailing [-W...]
  std::string category;  // a letter, see above
};

struct Compilation {
  bool started = false;  // the compiler could be run
  int exit_code = -1;    // -1 if a signal ended it
  std::vector<Diagnostic> diagnostics;
  std::string output;  // everything that the compiler said
};

struct CompileOptions {
  std::vector<std::string> flags;  // added to ModuleFlags(); every warning is off unless named here
  std::string prelude;             // a forced include of this text
};

// Line 1 of `source` is line 1 of the diagnostics; the prelude is a forced include.
[[nodiscard]] Compilation Compile(std::string_view source, const CompileOptions& options = {});

// Success if the compiler reports exactly what the source announces.
[[nodiscard]] ::testing::AssertionResult ReportsWhatIsAnnounced(std::string_view source,
                                                                const CompileOptions& options = {});

// Success if nothing at all is reported in the source, which must not announce anything.
[[nodiscard]] ::testing::AssertionResult IsSilent(std::string_view source,
                                                  const CompileOptions& options = {});

}  // namespace kassay::compile
