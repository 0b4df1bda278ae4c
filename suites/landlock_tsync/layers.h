#pragma once

namespace kassay::landlock {

// Enforces plain layers on the calling thread until the kernel refuses; how many it took. Layers
// that a failed or interrupted call left behind show up as missing here.
[[nodiscard]] int LayersThatStillFit();

}  // namespace kassay::landlock
