#include "daemon/options.h"

#include <arpa/inet.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <iostream>

#include "core/encoding.h"
#include "core/text.h"
#include "core/version.h"

namespace sampan::daemon {
namespace {

const std::map<std::string, core::log::Level> kLevels{{"trace", core::log::Level::kTrace},
                                                      {"debug", core::log::Level::kDebug},
                                                      {"info", core::log::Level::kInfo},
                                                      {"warn", core::log::Level::kWarn},
                                                      {"error", core::log::Level::kError}};
const std::map<std::string, core::log::Format> kFormats{{"text", core::log::Format::kText},
                                                        {"json", core::log::Format::kJson}};

// "90s", "15m", "24h", "7d"; "0" is none.
core::Millis parse_duration(const char* flag, const std::string& text) {
  constexpr std::int64_t kMost = 3650;
  const std::map<char, std::int64_t> units{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  const auto unit = text.empty() ? units.end() : units.find(text.back());
  const auto number = core::parse_int(unit == units.end() ? text : text.substr(0, text.size() - 1));
  const bool good = number && *number >= 0 && *number <= kMost * 86400 && (unit != units.end() || *number == 0);
  if (!good) throw UsageError(std::string(flag) + " takes a time such as 90s, 15m, 24h or 7d; it was given '" + text + "'");
  const auto seconds = *number * (unit == units.end() ? 1 : unit->second);
  if (seconds > kMost * 86400) throw UsageError(std::string(flag) + " takes at most 3650d; it was given '" + text + "'");
  return std::chrono::seconds(seconds);
}

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

// "127.0.0.1:4566" or "[::1]:4566".
void split_listen(const std::string& text, Options& options) {
  auto colon = text.rfind(':');
  auto port = colon == std::string::npos ? std::nullopt : core::parse_int(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) {
    throw UsageError("--listen takes ADDRESS:PORT, such as 127.0.0.1:4566; it was given '" + text + "'");
  }
  options.listen_address = text.substr(0, colon);
  if (options.listen_address == "localhost") options.listen_address = "127.0.0.1";
  if (options.listen_address.starts_with('[') && options.listen_address.ends_with(']')) {
    options.listen_address = options.listen_address.substr(1, options.listen_address.size() - 2);
  }
  in6_addr six{};
  if (!is_ipv4(options.listen_address) && inet_pton(AF_INET6, options.listen_address.c_str(), &six) != 1) {
    throw UsageError("--listen takes an IP address of this machine; '" + options.listen_address + "' is none");
  }
  options.listen_port = static_cast<std::uint16_t>(*port);
}

void check_cidr(const std::string& text) {
  auto slash = text.find('/');
  auto bits = slash == std::string::npos ? std::nullopt : core::parse_int(text.substr(slash + 1));
  if (!is_ipv4(text.substr(0, slash)) || !bits || *bits < 16 || *bits > 24) {
    throw UsageError("--vpc-cidr takes an IPv4 network of /16 to /24, such as 172.30.0.0/16; it was given '" + text + "'");
  }
}

// Letters, digits, '-' and '.' in lower case, as image references can hold it (an IPv4 address is one too).
bool is_host_name(const std::string& text) {
  const auto good = [](unsigned char c) { return (c >= 'a' && c <= 'z') || std::isdigit(c) || c == '-' || c == '.'; };
  const bool edges = std::isalnum(static_cast<unsigned char>(text.front())) &&
                     std::isalnum(static_cast<unsigned char>(text.back()));
  return text.size() <= 253 && edges && std::all_of(text.begin(), text.end(), good) &&
         text.find("..") == std::string::npos;
}

void check_vulnerability_db(const std::string& location) {
  if (location.empty() || location.starts_with("http://") || location.starts_with("https://")) return;
  std::error_code error;
  if (std::filesystem::exists(location, error)) return;
  throw UsageError("--vulnerability-db takes a directory or a URL; there is nothing at '" + location + "'");
}

void check(const Options& options) {
  auto digits = [](const std::string& s) { return std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isdigit(c); }); };
  if (options.account.size() != 12 || !digits(options.account)) {
    throw UsageError("--account takes 12 digits; it was given '" + options.account + "'");
  }
  if (options.open_auth && !options.listens_on_loopback()) {
    throw UsageError("--auth open lets anybody in who reaches " + options.listen_address +
                     ": it is only taken with a loopback --listen address; use --auth sigv4");
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    throw UsageError("--tls-certificate and --tls-key go together: a PEM file each");
  }
  if (!options.host_name.empty() && !is_host_name(options.host_name)) {
    throw UsageError("--host-name takes a DNS name without a port, such as registry.example.com; it was given '" +
                     options.host_name + "'");
  }
  if (!is_ipv4(options.edge_address)) {
    throw UsageError("--edge-address takes an IPv4 address of this machine; it was given '" + options.edge_address + "'");
  }
  check_cidr(options.vpc_cidr);
  check_vulnerability_db(options.vulnerability_db);
  if (options.store.starts_with("etcd://")) {
    throw UsageError("--store etcd:// needs a build with the etcd engine; this one has sqlite and memory");
  }
  if (options.store != "sqlite" && options.store != "memory") {
    throw UsageError("--store takes sqlite or memory; it was given '" + options.store + "'");
  }
}

}  // namespace

bool Options::listens_on_loopback() const {
  return listen_address == "::1" || listen_address.starts_with("127.");
}

std::string Options::instance_id() const {
  return core::sha256_hex(std::filesystem::absolute(data_dir).lexically_normal().string()).substr(0, 4);
}

std::optional<Options> parse_options(int argc, const char* const* argv) {
  Options options;
  std::string listen = "127.0.0.1:4566", auth = "sigv4", level = "info", format = "text";
  std::string collect_every = "1h", collect_grace = "24h", build_cache_keep = "30d",
              pull_through_refresh = "24h";
  CLI::App app("Sampan: a container cloud that you own. Speaks the AWS APIs of ECR, ECS, Fargate and ELB.", "sampand");
  app.set_version_flag("--version", std::string("sampand ") + core::kVersion);
  app.set_config("--config", "", "Read flags from FILE (lines of name = value)");
  app.add_option("--data-dir", options.data_dir, "State, images, layers and logs")->capture_default_str();
  app.add_option("--run-dir", options.run_dir, "Sockets, pid files and namespaces")->capture_default_str();
  app.add_option("--listen", listen, "ADDRESS:PORT of every API")->capture_default_str();
  app.add_option("--tls-certificate", options.tls_certificate,
                 "PEM file, with its intermediates: the port speaks HTTPS. Read again on SIGHUP and when it changes");
  app.add_option("--tls-key", options.tls_key, "PEM file with the certificate's private key");
  app.add_option("--host-name", options.host_name,
                 "How users call this Sampan, in repository URIs (default: localhost, or the listen address)");
  app.add_option("--account", options.account, "12 digits")->capture_default_str();
  app.add_option("--region", options.region, "The region of this Sampan")->capture_default_str();
  app.add_option("--auth", auth, "sigv4: verify every call; open: take any credentials (loopback only)")
      ->check(CLI::IsMember({"sigv4", "open"}))
      ->capture_default_str();
  app.add_option("--runtime", options.runtime, "The OCI runtime")
      ->check(CLI::IsMember({"auto", "crun", "runc", "runsc"}))
      ->capture_default_str();
  app.add_option("--vpc-cidr", options.vpc_cidr, "The network of the default VPC")->capture_default_str();
  app.add_option("--edge-address", options.edge_address, "Where internet-facing load balancers listen")->capture_default_str();
  app.add_option("--store", options.store, "sqlite, or memory (nothing is kept)")->capture_default_str();
  app.add_option("--blobs", options.blobs,
                 "Keep blobs in s3://BUCKET[/PREFIX]?endpoint=URL&region=R or file:///DIRECTORY; the data dir is a cache of it then");
  app.add_option("--blobs-cache", options.blobs_cache, "How much of it the data dir holds, such as 50GB; 0: no limit")
      ->transform(CLI::AsSizeValue(true))
      ->capture_default_str();
  app.add_flag("--blobs-redirect,!--no-blobs-redirect", options.blobs_redirect,
               "Send clients to S3 for what the data dir does not hold (default), or fetch it for them");
  app.add_option("--collect-every", collect_every, "How often content that nothing needs is removed; 0: only by `sampan registry collect`")
      ->capture_default_str();
  app.add_option("--collect-grace", collect_grace, "How long such content stays after its last use")->capture_default_str();
  app.add_option("--build-cache-keep", build_cache_keep, "How long an unused step of a build stays cached")->capture_default_str();
  app.add_option("--vulnerability-db", options.vulnerability_db,
                 "OSV records to scan images with: a directory (of .json files, or .zip archives as osv.dev publishes "
                 "them), or a URL (of a .zip, or ending in / of a bucket laid out as osv.dev's)");
  app.add_option("--pull-through-refresh", pull_through_refresh, "How old a cached tag may be before its upstream is asked for it again")
      ->capture_default_str();
  app.add_option("--upstream-ca", options.upstream_ca, "Certificate authorities (PEM) of other registries, beside the system's")
      ->check(CLI::ExistingFile);
  app.add_option("--insecure-upstream", options.insecure_upstreams,
                 "HOST or HOST:PORT of another registry that may be spoken to over plain HTTP, at any address (repeatable)");
  app.add_option("--log-level", level, "trace, debug, info, warn, error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_option("--log-format", format, "text or json")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
  auto* teardown = app.add_subcommand("teardown", "Remove what an instance that is not running left on the machine");
  teardown->add_flag("--purge", options.purge, "Its data as well");
  teardown->fallthrough();
  auto* fsck = app.add_subcommand("fsck", "Check the registry's storage while no daemon runs on it; exit 1 when something is damaged");
  fsck->add_flag("--repair", options.repair, "Set damaged blobs aside, so that the next push heals them");
  fsck->fallthrough();

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    app.exit(success);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw UsageError(core::replace_all(error.what(), "\n", " ") + " (sampand --help lists the flags)");
  }
  if (*teardown) options.verb = Verb::kTeardown;
  if (*fsck) options.verb = Verb::kFsck;
  options.data_dir = std::filesystem::absolute(options.data_dir).lexically_normal();
  options.run_dir = std::filesystem::absolute(options.run_dir).lexically_normal();
  const bool is_path = !options.vulnerability_db.empty() && options.vulnerability_db.find("://") == std::string::npos;
  if (is_path) options.vulnerability_db = std::filesystem::absolute(options.vulnerability_db).lexically_normal();
  options.open_auth = auth == "open";
  options.log_level = kLevels.at(level);
  options.log_format = kFormats.at(format);
  options.collect_every = parse_duration("--collect-every", collect_every);
  options.collect_grace = parse_duration("--collect-grace", collect_grace);
  options.build_cache_keep = parse_duration("--build-cache-keep", build_cache_keep);
  if (options.tls()) options.tls_certificate = std::filesystem::absolute(options.tls_certificate);
  if (!options.tls_key.empty()) options.tls_key = std::filesystem::absolute(options.tls_key);
  options.pull_through_refresh = parse_duration("--pull-through-refresh", pull_through_refresh);
  split_listen(listen, options);
  check(options);
  return options;
}

}  // namespace sampan::daemon
