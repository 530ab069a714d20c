// sampand: see README.md and sampand --help.
#include <fmt/core.h>
#include <malloc.h>

#include <cstdio>

#include "core/error.h"
#include "core/log.h"
#include "daemon/daemon.h"

int main(int argc, char** argv) {
  using namespace sampan;
  // Bursts on a dozen threads would each leave an arena behind: two share all, and what is free goes back.
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
  try {
    auto options = daemon::parse_options(argc, argv);
    if (!options) return 0;
    core::log::configure(options->log_level, options->log_format);
    if (options->verb == daemon::Verb::kTeardown) {
      daemon::teardown(*options);
      return 0;
    }
    if (options->verb == daemon::Verb::kFsck) return daemon::fsck(*options) ? 0 : 1;
    daemon::Daemon(*options).run();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "sampand: {}\n", error.what());
    return 2;
  }
}
