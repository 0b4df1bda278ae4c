// The JSON objects that more than one kind of file or record holds: which kernel it was, under
// which conditions, and what a case saw.
#pragma once

#include "harness/base/text/json_fields.h"
#include "harness/result/run_result.h"

namespace kassay {

void Describe(JsonFields& fields, KernelIdentity& kernel);
void Describe(JsonFields& fields, Firmware& firmware);
void Describe(JsonFields& fields, Environment& environment);
void Describe(JsonFields& fields, Failure& failure);
void Describe(JsonFields& fields, Evidence& evidence);
void Describe(JsonFields& fields, Measure& measure);
void Describe(JsonFields& fields, ErratumMatch& erratum);
void Describe(JsonFields& fields, FeatureResult& feature);

}  // namespace kassay
