// What a restored machine got wrong: its clock stands at the snapshot's time, and its random pool
// is that of every other machine restored from the same snapshot.
#pragma once

#include "harness/protocol/message.h"

namespace kassay::guest {

// Sets CLOCK_REALTIME, credits the host's bytes to the random pool and makes every CPU take a new
// key from it (RNDRESEEDCRNG, drivers/char/random.c:crng_reseed).
void Freshen(const protocol::RunRequest& request);

}  // namespace kassay::guest
