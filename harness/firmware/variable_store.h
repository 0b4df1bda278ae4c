// The store of UEFI variables as EDK II keeps it in flash: OVMF_VARS*.fd, AAVMF_VARS.fd.
//
// A firmware volume whose body is VARIABLE_STORE_HEADER and one AUTHENTICATED_VARIABLE_HEADER after
// the other (MdeModulePkg/Include/Guid/VariableFormat.h). Written while no machine runs, a store
// needs no signatures on its variables: the firmware checks them when somebody sets a variable, not
// when it finds one in its flash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/firmware/efi.h"

namespace kassay::efi {

// Attributes (UEFI specification 2.10, section 8.2.1).
inline constexpr std::uint32_t kNonVolatile = 0x01;
inline constexpr std::uint32_t kBootService = 0x02;
inline constexpr std::uint32_t kRuntime = 0x04;
inline constexpr std::uint32_t kTimeBasedAuthenticated = 0x20;

struct Variable {
  std::string name;    // ASCII
  std::string vendor;  // the bytes of its GUID
  std::uint32_t attributes = 0;
  std::string data;
  friend bool operator==(const Variable&, const Variable&) = default;
};

// The variables that are in a store, deleted ones left out. Fails on what is no such store and on a
// record that leads out of it.
[[nodiscard]] Result<std::vector<Variable>> VariablesOf(std::string_view store);

// `store` with the variables behind those that are in it. Fails as above, and if there is no room.
[[nodiscard]] Result<std::string> WithVariables(std::string_view store,
                                                const std::vector<Variable>& variables);

}  // namespace kassay::efi
