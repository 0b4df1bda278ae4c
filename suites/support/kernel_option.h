// The options of the running kernel, as its configuration tells them (/kassay/kernel.config in the
// guest, where the harness knows it). For parts of a case that need an option; what a whole case
// relies on stands in the catalogue.
#pragma once

#include <string_view>

#include "suites/support/case.h"

namespace kassay {

// The configuration is known and does not set it. False too where none is known: what needs the
// option runs then, and its failure says so itself.
[[nodiscard]] bool OptionIsOff(std::string_view option);

// Leaves the case if so. Where no configuration is known, the case's evidence names the option.
void RequireOption(std::string_view option);

}  // namespace kassay
