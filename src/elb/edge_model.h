// What the data plane is to do, as plain values: what the rule compiler (haproxy_text.h) turns into HAProxy's
// language. Nothing here knows ARNs, accounts or the store; edge_plan.h makes it from the rows.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sampan::elb {

struct Condition {
  enum class Field { kHost, kPath, kMethod, kSourceIp, kHeader, kQuery };
  Field field = Field::kPath;
  std::string header;               // kHeader: its name
  std::vector<std::string> values;  // one is enough; '*' and '?' but for method, source
  std::vector<std::pair<std::string, std::string>> queries;  // kQuery: key (empty: any) and value
  bool operator==(const Condition&) const = default;
};

struct WeightedBackend {
  std::string backend;
  int weight = 1;
  bool operator==(const WeightedBackend&) const = default;
};

struct Forward {
  std::vector<WeightedBackend> backends;
  int sticky_seconds = 0;  // 0: each request is distributed anew
  bool operator==(const Forward&) const = default;
};

// AWS's words: "#{protocol}", "#{host}", "#{port}", "/#{path}", "#{query}" and text around them.
struct Redirect {
  int status = 302;
  std::string protocol = "#{protocol}";
  std::string host = "#{host}";
  std::string port = "#{port}";
  std::string path = "/#{path}";
  std::string query = "#{query}";
  bool operator==(const Redirect&) const = default;
};

struct FixedResponse {
  int status = 200;
  std::string content_type;
  std::string body;
  bool operator==(const FixedResponse&) const = default;
};

using RuleAction = std::variant<Forward, Redirect, FixedResponse>;

struct EdgeRule {
  std::string id;                     // [a-z0-9]
  std::vector<Condition> conditions;  // all must hold; none: always
  RuleAction action;
  bool operator==(const EdgeRule&) const = default;
};

enum class ForwardedFor { kAppend, kPreserve, kRemove };

// One load balancer's listener.
struct Site {
  std::string id;               // of the load balancer, [a-z0-9]
  std::string host;             // its DNS name, lower case
  std::vector<EdgeRule> rules;  // in order; the last one has no conditions
  ForwardedFor forwarded_for = ForwardedFor::kAppend;
  bool client_port = false;  // X-Forwarded-For carries the client's port
  std::chrono::seconds idle{60};
  std::chrono::seconds client_keep_alive{3600};
  bool operator==(const Site&) const = default;
};

// Listeners that share address and port: told apart by the Host header; a single one answers any Host.
struct EdgePort {
  int number = 0;
  std::vector<Site> sites;
  bool operator==(const EdgePort&) const = default;
};

enum class Stickiness { kNone, kBalancerCookie, kApplicationCookie };

struct HealthCheck {
  std::string path = "/";
  std::string codes = "200";
  int port = 0;  // 0: the traffic port
  bool tls = false;
  std::chrono::seconds interval{30};
  std::chrono::seconds timeout{5};
  int healthy = 5;
  int unhealthy = 2;
  bool operator==(const HealthCheck&) const = default;
};

// A target as one or two HAProxy servers: `name` is checked; its twin `name`+"o" is a backup without a check,
// used when no checked one is up, so that a group with no healthy target fails open.
struct EdgeServer {
  enum class Duty {
    kProbing,   // not yet healthy for the first time: no twin, since AWS sends nothing to it either
    kServing,   // healthy
    kFailing,   // unhealthy: only the twin may get requests
    kDraining,  // no new requests
  };
  std::string name;  // [a-z0-9]
  std::string address;
  int port = 0;
  Duty duty = Duty::kProbing;
  bool operator==(const EdgeServer&) const = default;
};

// A target group that some listener uses.
struct Backend {
  std::string name;                    // [a-z0-9_]
  std::string balance = "roundrobin";  // roundrobin, leastconn, random
  bool tls = false;                    // HTTPS to the targets, certificates not verified (as AWS does)
  bool http2 = false;
  std::chrono::seconds slow_start{0};
  Stickiness stickiness = Stickiness::kNone;
  std::string cookie;  // the application's
  std::chrono::seconds sticky_for{86400};
  std::chrono::seconds idle{60};
  HealthCheck check;
  std::vector<EdgeServer> servers;
  bool operator==(const Backend&) const = default;
};

struct EdgeModel {
  std::vector<EdgePort> ports;    // by number
  std::vector<Backend> backends;  // by name
  bool operator==(const EdgeModel&) const = default;
};

}  // namespace sampan::elb
