// The data plane's driver: keeps HAProxy as the rows want it, and knows every target's health.
//
//   rows ──plan_edge──> model ──┬─ structure differs ──> new file, new process takes over (haproxy_process.h)
//                               └─ servers differ ─────> new file, admin commands (server_plan.h)
//   log socket: "a check changed something" ──> `show stat` ──> judge ──> listeners, mark_up, the next plan
//
// Level-triggered: reconcile() may run at any time and begins from what the process says of itself, so that a
// crash of either side is mended by the next round. Requests do not pass through here, and go on while we are
// dead. All on the control strand; what blocks goes to the pool.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/clock.h"
#include "elb/data_plane.h"
#include "elb/edge_plan.h"
#include "elb/haproxy_process.h"
#include "elb/haproxy_text.h"
#include "elb/registry.h"
#include "elb/server_plan.h"
#include "elb/target_judge.h"
#include "io/executors.h"

namespace sampan::elb {

struct EdgeOptions {
  std::filesystem::path data_dir;
  std::filesystem::path run_dir;
  std::string address = "127.0.0.1";
  std::string program;  // find_haproxy()
  int threads = 2;
};

class Edge final : public DataPlane {
 public:
  Edge(io::Executors& executors, const core::Clock& clock, Registry& registry, EdgeOptions options);
  ~Edge() override;

  // Finds or starts the process and begins to keep it. The coroutines it starts hold the Edge until stop().
  io::Awaitable<void> start();
  // Ends our work; the process goes on.
  io::Awaitable<void> stop();

  boost::asio::awaitable<std::map<int, std::string>> apply() override;
  boost::asio::awaitable<std::optional<std::string>> port_trouble(int port) override;
  bool listens(int port) const override { return !unusable_.contains(port); }
  TargetHealth health(const std::string& group_arn, const std::string& address, int port) const override;
  void on_change(std::function<void(const Target&)> listener) override {
    listeners_.push_back(std::move(listener));
  }

 private:
  struct Lock;
  void ring();                       // rows have changed: look soon
  io::Awaitable<void> keep();        // the reconcile loop
  io::Awaitable<void> listen_log();  // rings when a check changed something
  io::Awaitable<void> reconcile();
  io::Awaitable<void> adopt();
  io::Awaitable<void> carry_out();  // plan, and do it
  io::Awaitable<void> replace();
  io::Awaitable<void> change_servers(EdgeModel model);
  io::Awaitable<void> write_file(std::string text);
  void use_admin_socket(int number);
  io::Awaitable<void> read_health();
  io::Awaitable<void> end_draining();
  EdgeModel plan();
  void take_stats(const std::vector<ServerStat>& stats);
  EdgeServer::Duty duty_of(const std::string& key) const;
  std::optional<TargetView> view_of(const std::string& group_arn, const std::string& address, int port) const;
  void tell_changes();

  struct Known {
    Seen seen = Seen::kNothing;
    std::optional<ServerStat> stat;
    std::string told;  // the state that listeners were last told
  };

  io::Executors& executors_;
  const core::Clock& clock_;
  Registry& registry_;
  EdgeOptions options_;
  EdgePaths paths_;
  HaproxySettings settings_;
  int admin_number_ = 0;  // of the admin socket of the running process
  HaproxyProcess process_;
  io::Bell bell_;
  std::unique_ptr<Lock> lock_;

  std::shared_ptr<Edge*> self_;  // the registry's listeners hold it weakly: they outlive us
  bool stopping_ = false;
  int coroutines_ = 0;
  bool resync_ = false;      // what we believe of the process may be wrong: ask it
  bool dirty_ = true;        // rows may have changed since the last plan
  bool health_rung_ = true;  // a check may have changed something
  core::TimePoint next_health_read_{};
  std::string structure_;  // of the running process; empty: none runs
  std::string refused_;    // a structure that could not be started, and when to try again
  core::TimePoint retry_at_{};
  std::string written_;     // the file's text
  std::set<int> bound_;     // ports the process listens on
  RunningServers servers_;  // of the running process
  std::map<int, std::string> unusable_;
  core::TimePoint retry_ports_at_{};
  std::map<std::string, Known> known_;  // by target_key
  std::set<std::string> used_groups_;
  std::vector<std::function<void(const Target&)>> listeners_;
  struct LogSocket;
  std::unique_ptr<LogSocket> log_;
};

}  // namespace sampan::elb
