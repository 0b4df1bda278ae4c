// A guest's outcome as JSON, for the event journal: the raw evidence that a verdict was made from.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/base/text/json_reader.h"
#include "harness/target/guest.h"

namespace kassay {

[[nodiscard]] Json ToJsonObject(const GuestOutcome& outcome);
[[nodiscard]] GuestOutcome ReadGuestOutcome(const Json& json, const std::string& place,
                                            std::string& problem);

// The outcome as its journal line will give it back: bytes that are not UTF-8 replaced. Verdicts
// are made from this form, so that whoever reads the journal comes to the same.
[[nodiscard]] GuestOutcome AsJournalled(const GuestOutcome& outcome);

}  // namespace kassay
