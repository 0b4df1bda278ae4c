// The JSON objects that more than one kind of file holds: which kernel it was, and under which
// conditions.
#pragma once

#include "harness/base/text/json_fields.h"
#include "harness/result/run_result.h"

namespace kassay {

void Describe(JsonFields& fields, KernelIdentity& kernel);
void Describe(JsonFields& fields, Environment& environment);

}  // namespace kassay
