// A subcommand of kassay is one file in this folder that ends in
//
//   KASSAY_COMMAND(10, AddRunCommand);
//
// where AddRunCommand adds it to the app and, in its callback, sets the exit code. Smaller numbers
// come first in
// --help. main.cc knows none of them by name.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/result.h"

namespace kassay::cli {

using AddCommand = void (*)(CLI::App& app, ExitCode& exit_code);

inline std::vector<std::pair<int, AddCommand>>& Commands() {
  static std::vector<std::pair<int, AddCommand>> commands;
  return commands;
}

struct CommandRegistration {
  CommandRegistration(int order, AddCommand add) { Commands().emplace_back(order, add); }
};

#define KASSAY_COMMAND(order, add) \
  static const ::kassay::cli::CommandRegistration kassay_command_##add(order, &add)

// Prints "kassay: MESSAGE" on standard error and gives back the error's exit code.
[[nodiscard]] ExitCode Report(const Error& error);

}  // namespace kassay::cli
