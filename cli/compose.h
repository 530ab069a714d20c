// compose.yaml as `sampan deploy` understands it. Pure: text in, values out.
//
// Taken: services with image, build (context, dockerfile, args, target), ports, environment, command, entrypoint,
// working_dir, user, depends_on, healthcheck, stop_grace_period, deploy.replicas and
// deploy.resources.limits. Anything else in a service is named in `ignored`, so that the user is told.
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sampan::cli {

struct ComposeBuild {
  std::string context;
  std::string dockerfile;
  std::string target;
  std::vector<std::pair<std::string, std::string>> args;
};

struct ComposePort {
  int published = 0;  // 0: none was written
  int container = 0;
};

struct ComposeHealth {
  std::vector<std::string> command;  // ["CMD", …] or ["CMD-SHELL", "…"]
  int interval_seconds = 30;
  int timeout_seconds = 5;
  int retries = 3;
  int start_period_seconds = 0;
};

struct ComposeService {
  std::string name;
  std::string image;
  std::optional<ComposeBuild> build;
  std::vector<ComposePort> ports;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> command;
  std::vector<std::string> entry_point;
  std::string working_directory;
  std::string user;
  std::vector<std::string> depends_on;
  std::optional<ComposeHealth> health;
  std::optional<int> stop_timeout_seconds;
  std::string health_path;  // label sampan.health-path: the load balancer's check
  int replicas = 1;
  double cpus = 0.25;
  int memory_mib = 512;
};

struct Compose {
  std::string name;
  std::vector<ComposeService> services;  // each after those it depends on
  std::vector<std::string> ignored;      // "services.web.networks"
};

// A mistake in the file: says where and how to mend it.
class ComposeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Compose parse_compose(const std::string& text, const std::string& default_name,
                      const std::map<std::string, std::string>& environment);

struct FargateSize {
  int cpu = 256;
  int memory = 512;
};
// The smallest Fargate size with at least so much. Throws ComposeError past 16 vCPU or 120 GB.
FargateSize fargate_size(double cpus, int memory_mib);

}  // namespace sampan::cli
