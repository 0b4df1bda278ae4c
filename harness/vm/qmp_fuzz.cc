// A QEMU that a guest has taken over.
#include <cstddef>
#include <cstdint>

#include "harness/vm/console.h"
#include "harness/vm/qmp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  kassay::QmpReader reader;
  if (reader.Append(bytes.substr(0, size / 2)))
    static_cast<void>(reader.Append(bytes.substr(size / 2)).has_value());
  static_cast<void>(kassay::PanicLine(bytes));
  static_cast<void>(kassay::DistressLine(bytes));
  static_cast<void>(kassay::LastLines(bytes, 20));
  return 0;
}
