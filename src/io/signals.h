// Waiting for the signals that ask the process to end.
#pragma once

#include "io/executors.h"

namespace sampan::io {

// The next SIGTERM or SIGINT. From the first call on, neither ends the process by itself while a coroutine
// waits.
Awaitable<int> wait_for_stop_signal();

}  // namespace sampan::io
