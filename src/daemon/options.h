// What sampand was told: flags, and a file of the same names (--config). Pure but for reading that file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/clock.h"
#include "core/log.h"

namespace sampan::daemon {

enum class Verb {
  kServe,     // sampand
  kTeardown,  // sampand teardown: remove what a dead (or stopped) instance left on the machine
  kFsck,      // sampand fsck: check the registry's storage while no daemon runs on it
};

struct Options {
  Verb verb = Verb::kServe;
  bool purge = false;   // teardown: the data as well
  bool repair = false;  // fsck: set damaged blobs aside
  std::filesystem::path data_dir = "/var/lib/sampan";
  std::filesystem::path run_dir = "/run/sampan";
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 4566;
  std::filesystem::path tls_certificate;  // PEM; empty: plain HTTP
  std::filesystem::path tls_key;
  std::string host_name;  // how users call this Sampan: in repository URIs; empty: from the listen address
  std::string account = "000000000000";
  std::string region = "us-east-1";
  bool open_auth = false;
  std::string runtime = "auto";
  std::string vpc_cidr = "172.30.0.0/16";
  std::string edge_address = "127.0.0.1";
  std::string store = "sqlite";
  std::string blobs;              // "s3://…", "file:///…": where blobs are kept for good; empty: in the data dir alone
  std::uint64_t blobs_cache = 0;  // bytes of them in the data dir; 0: no limit
  bool blobs_redirect = true;
  core::Millis collect_every = std::chrono::hours(1);  // 0: only when asked to
  core::Millis collect_grace = std::chrono::hours(24);
  core::Millis build_cache_keep = std::chrono::hours(24 * 30);
  std::string vulnerability_db;  // a directory, file or URL; empty: images are not matched with anything
  core::Millis pull_through_refresh = std::chrono::hours(24);
  std::filesystem::path upstream_ca;            // PEM; beside the system's authorities, for other registries
  std::vector<std::string> insecure_upstreams;  // HOST or HOST:PORT
  core::log::Level log_level = core::log::Level::kInfo;
  core::log::Format log_format = core::log::Format::kText;

  bool listens_on_loopback() const;
  bool tls() const { return !tls_certificate.empty(); }
  // Four hex digits that name this instance in every kernel object it makes: a hash of its data dir.
  std::string instance_id() const;
};

// One clear line about a wrong flag; sampand prints it and exits 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Nothing when the answer has been printed already (--help, --version).
std::optional<Options> parse_options(int argc, const char* const* argv);

}  // namespace sampan::daemon
