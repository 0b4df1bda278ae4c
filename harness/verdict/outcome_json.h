// A guest's outcome as JSON, for the event journal: the raw evidence that a verdict is made from.
#pragma once

#include "harness/base/text/json_fields.h"
#include "harness/target/guest.h"

namespace kassay {

void Describe(JsonFields& fields, GuestOutcome& outcome);

// The outcome as its journal line will give it back: bytes that are not UTF-8 replaced. Verdicts
// are made from this form, so that whoever reads the journal comes to the same.
[[nodiscard]] GuestOutcome AsJournalled(const GuestOutcome& outcome);

}  // namespace kassay
