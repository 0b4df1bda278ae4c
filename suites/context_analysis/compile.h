// Compiles one small source against the kernel's headers and holds the compiler to what the source
// announces.
//
// A line that must draw a warning says so at its end, by category and a stable part of the text:
//
//   d->x = 1;  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
//
// Categories: A = -Wthread-safety-analysis, P = -Wthread-safety-pointer, R =
// -Wthread-safety-precise. Several announcements may stand on one line. Every announcement must
// come true on its line, and every line without one must stay silent: so each source holds the
// mistake and its correct twin. One mistake may draw more than one warning; on an announced line
// further ones are allowed.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace kassay::context {

struct Diagnostic {
  int line = 0;          // in the case's own source, 0 if it is in a header
  std::string kind;      // "error" or "warning"
  std::string text;      // without the trailing [-W...]
  std::string category;  // "A", "P", "R", or the option's name
};

struct Compilation {
  bool started = false;  // the compiler could be run
  int exit_code = -1;
  std::vector<Diagnostic> diagnostics;
  std::string output;  // everything that the compiler said
};

struct CompileOptions {
  std::vector<std::string> extra_flags;
  bool analysis = true;         // AnalysisFlags() are given
  bool define_analysis = true;  // ... with -DWARN_CONTEXT_ANALYSIS
  bool prelude = true;          // the lock headers and the annotated structs of Prelude()
};

// Line 1 of `source` is line 1 of the diagnostics; the prelude is a forced include.
[[nodiscard]] Compilation Compile(std::string_view source, const CompileOptions& options = {});

// Success if the compiler reports exactly what the source announces.
[[nodiscard]] ::testing::AssertionResult ReportsWhatIsAnnounced(std::string_view source,
                                                                const CompileOptions& options = {});

// Success if nothing at all is reported in the source, which must not announce anything.
[[nodiscard]] ::testing::AssertionResult IsSilent(std::string_view source,
                                                  const CompileOptions& options = {});

// The struct definitions that the cases use: D (mutex m, m2), S (spinlock), W (rwlock), R (rwsem),
// Q (seqlock), ...
[[nodiscard]] std::string_view Prelude();

}  // namespace kassay::context
