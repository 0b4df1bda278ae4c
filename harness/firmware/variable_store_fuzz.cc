// A template of a variable store: what is read lies in it, and what is written can be read.
#include <cstddef>
#include <cstdint>

#include "harness/firmware/variable_store.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kassay::efi;  // NOLINT(google-build-using-namespace)
  const std::string_view store(reinterpret_cast<const char*>(data), size);
  const auto found = VariablesOf(store);
  const Variable added{"db", kImageSecurityDatabase.Bytes(), kNonVolatile, "data"};
  const auto written = WithVariables(store, {added});
  if (written && written->size() != size) __builtin_trap();
  if (!found || !written) return 0;
  const auto again = VariablesOf(*written);
  if (again && again->size() > found->size() && (*again)[found->size()] != added) __builtin_trap();
  return 0;
}
