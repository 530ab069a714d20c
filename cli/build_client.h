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
  std::string output_type;  // "", "oci" or "docker"
  std::string output_file;
  BuildProgress progress = BuildProgress::kAuto;
};

struct BuiltImage {
  std::string digest;
  std::vector<int> exposed_ports;
};

// Throws core::Error with the builder's own words (file, line, instruction) when the build fails.
BuiltImage run_build(Session& session, const BuildOrder& order, Progress& progress);

// Follows the job at `path` ("/sampan/v1/build/<id>") and hands each event over; the last one is returned.
boost::json::object follow_job(Session& session, const std::string& path,
                               const std::function<void(const boost::json::object&)>& on_event);

}  // namespace sampan::cli
