// A subcommand of kassay is one file in this folder that ends in
//
//   KASSAY_COMMAND(10, AddRunCommand);
//
// where AddRunCommand adds it to the app and, in its callback, calls Context::Finish(). Smaller
// numbers come first in --help. main.cc knows none of them by name.
#pragma once

#include <CLI/CLI.hpp>
#include <map>

#include "harness/base/installation.h"
#include "harness/base/result.h"
#include "harness/cli/exit_code.h"

namespace kassay::cli {

// What a command works with and what it comes to.
struct Context {
  Installation installation;  // --suites is in it once the command line is parsed
  ExitCode exit_code = ExitCode::kConformant;

  // Keeps the code, or reports the error and keeps its code.
  void Finish(const Result<ExitCode>& code);
};

using AddCommand = void (*)(CLI::App& app, Context& context);

inline std::multimap<int, AddCommand>& Commands() {
  static std::multimap<int, AddCommand> commands;
  return commands;
}

struct CommandRegistration {
  CommandRegistration(int order, AddCommand add) { Commands().emplace(order, add); }
};

#define KASSAY_COMMAND(order, add) \
  static const ::kassay::cli::CommandRegistration kassay_command_##add(order, &add)

// Prints "kassay: MESSAGE" on standard error and gives back the error's exit code.
[[nodiscard]] ExitCode Report(const Error& error);

}  // namespace kassay::cli
