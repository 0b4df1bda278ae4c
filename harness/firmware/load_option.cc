#include "harness/firmware/load_option.h"

#include "harness/firmware/efi.h"

namespace kassay::efi {

std::string LoadOption(std::string_view path, std::string_view options) {
  constexpr std::uint32_t kActive = 1;
  // Media device path, file path (section 10.3.5.4), and the path's end (10.3.1).
  const std::string name = Char16(path);
  const std::string node = Le(4, 1) + Le(4, 1) + Le(4 + name.size(), 2) + name;
  const std::string end = Le(0x7f, 1) + Le(0xff, 1) + Le(4, 2);
  return Le(kActive, 4) + Le(node.size() + end.size(), 2) + Char16("kassay") + node + end +
         Char16(options);
}

}  // namespace kassay::efi
