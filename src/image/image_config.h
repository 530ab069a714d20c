// An image's configuration: what its author said about how to run it. OCI's image configuration with Docker's
// additions (health check, shell, ONBUILD). Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "image/manifest.h"

namespace sampan::image {

struct HealthCheck {
  std::vector<std::string> test;         // {"NONE"}, {"CMD", …} or {"CMD-SHELL", "…"}
  std::chrono::nanoseconds interval{0};  // 0: not said
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds start_period{0};
  std::chrono::nanoseconds start_interval{0};
  int retries = 0;
  bool operator==(const HealthCheck&) const = default;
};

struct History {
  std::string created;
  std::string created_by;
  std::string comment;
  std::string author;
  bool empty_layer = false;
  bool operator==(const History&) const = default;
};

struct ImageConfig {
  Platform platform;
  std::string os_version;
  std::string created;  // RFC 3339
  std::string author;

  std::vector<std::string> env;  // "K=V"
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::string user;  // "name", "1000", "1000:1000"
  std::string working_dir;
  std::set<std::string> exposed_ports;  // "80/tcp"
  std::set<std::string> volumes;        // paths
  std::map<std::string, std::string> labels;
  std::string stop_signal;  // "SIGTERM"
  std::optional<HealthCheck> health_check;
  std::vector<std::string> shell;
  std::vector<std::string> on_build;

  std::vector<Digest> diff_ids;  // bottom first
  std::vector<History> history;
  bool operator==(const ImageConfig&) const = default;
};

// Throws BadDocument.
ImageConfig parse_config(std::string_view bytes);
// The same configuration gives the same bytes.
std::string render_config(const ImageConfig& config);

}  // namespace sampan::image
