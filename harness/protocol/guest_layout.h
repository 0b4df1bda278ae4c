// Where things lie in the guest: what harness/image packs, the agent reads and the suites open.
#pragma once

namespace kassay {

inline constexpr const char* kGuestSuitesDir = "/kassay/suites";      // NAME: a suite's executable
inline constexpr const char* kGuestFixturesDir = "/kassay/fixtures";  // the files a profile names
// What suites made on the host for this kernel (--kassay_prepare).
inline constexpr const char* kGuestPreparedDir = "/kassay/prepared";
// The kernel's configuration; absent if the kernel came without one.
inline constexpr const char* kGuestKernelConfig = "/kassay/kernel.config";
// One absolute path a line: the agent loads them in this order before the snapshot is taken.
inline constexpr const char* kGuestModulesToLoad = "/kassay/modules.load";
// "NAME PATH" a line, dependencies first: in the image and not loaded.
inline constexpr const char* kGuestModulesAvailable = "/kassay/modules.available";

}  // namespace kassay
