// The client side of the daemon's long work (builds, bootstraps, imports, pulls, pushes): send the order, then
// read its events until it ends.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/session.h"

namespace sampan::cli {

enum class BuildProgress { kAuto, kPlain, kJson };

struct BuildSecret {
  std::string id;
  std::string source;
};

struct BuildOrder {
  std::string context;
  std::string dockerfile;  // empty: CONTEXT/Dockerfile
  std::string target;
  std::vector<std::string> tags;
  std::vector<std::string> args;  // K=V
  std::vector<BuildSecret> secrets;
  bool no_cache = false;
  BuildProgress progress = BuildProgress::kAuto;
};

struct BuiltImage {
  std::string digest;
  std::int64_t size = 0;  // of its compressed layers
  std::vector<int> exposed_ports;
};

// Throws core::Error with the builder's own words (file, line, instruction) when the build fails.
BuiltImage run_build(Session& session, const BuildOrder& order, Progress& progress);

// The id in a 202 answer; otherwise throws core::Error with what the daemon said against `what`.
std::string accepted_job(const http::ClientResponse& answer, const std::string& what);

// Hands over each event of a job until it ends, and returns the last one. Throws core::Error when the job failed.
boost::json::object follow_job(Session& session, const std::string& id,
                               const std::function<void(const boost::json::object&)>& on_event);

}  // namespace sampan::cli
