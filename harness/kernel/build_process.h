// A build tool, run with its output in a log.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

// Runs argv[0] (looked up in PATH) to its end, in `folder`, with `environment` ("NAME=value") added
// to ours. Standard output and error go to `log` (appended) and, line by line, to `on_line`. Fails
// if it cannot start, if it ends with anything but 0 (the message has its last error line and the
// log's name) and on Ctrl-C, after its whole process group was ended.
[[nodiscard]] Status RunLogged(const std::vector<std::string>& argv,
                               const std::vector<std::string>& environment,
                               const std::filesystem::path& folder,
                               const std::filesystem::path& log,
                               const std::function<void(std::string_view)>& on_line);

// The first line that a program prints, e.g. of `gcc --version`; empty if it does not run.
[[nodiscard]] std::string FirstLineOf(const std::vector<std::string>& argv);

}  // namespace kassay
