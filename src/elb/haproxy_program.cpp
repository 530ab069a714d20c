#include "elb/haproxy_program.h"

#include <fmt/core.h>

#include <cstdio>
#include <filesystem>

#include "core/error.h"
#include "io/subprocess.h"

namespace sampan::elb {

std::string find_haproxy() {
  auto program = io::find_program("haproxy");
  // Debian puts it where only root's PATH looks.
  if (!program && std::filesystem::exists("/usr/sbin/haproxy")) program = "/usr/sbin/haproxy";
  if (!program) {
    throw core::Error("the program haproxy (load balancers' data plane) is missing",
                      "install it: apt-get install haproxy");
  }
  io::Command command;
  command.argv = {*program, "-v"};
  command.timeout = std::chrono::seconds(5);
  const auto answer = io::run_or_throw(command);
  int major = 0;
  int minor = 0;
  const auto at = answer.out.find("version ");
  if (at != std::string::npos) std::sscanf(answer.out.c_str() + at, "version %d.%d", &major, &minor);
  if (major < 2 || (major == 2 && minor < 6)) {
    throw core::Error(fmt::format("{} is version {}.{}", *program, major, minor),
                      "Sampan needs HAProxy 2.6 or newer");
  }
  return *program;
}

}  // namespace sampan::elb
