// Runs several coroutines beside each other and waits for all.
#pragma once

#include <functional>
#include <vector>

#include "io/executors.h"

namespace sampan::image {

using Job = std::function<io::Awaitable<void>()>;

// At most `width` at a time. After the first failure no further one is started; it is thrown when all that
// run have ended. Jobs run on one strand of the caller's executor: they need no locks between them.
io::Awaitable<void> run_parallel(std::vector<Job> jobs, std::size_t width);

}  // namespace sampan::image
