// sampand: see README.md and sampand --help.
#include <fmt/core.h>

#include <cstdio>

#include "core/error.h"
#include "core/log.h"
#include "daemon/daemon.h"

int main(int argc, char** argv) {
  using namespace sampan;
  try {
    auto options = daemon::parse_options(argc, argv);
    if (!options) return 0;
    core::log::configure(options->log_level, options->log_format);
    if (options->verb == daemon::Verb::kTeardown) {
      daemon::teardown(*options);
      return 0;
    }
    daemon::Daemon(*options).run();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "sampand: {}\n", error.what());
    return 2;
  }
}
