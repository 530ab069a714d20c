// The health side of the driver: from `show stat` to AWS's states, and the end of draining.
#include <fmt/core.h>

#include "core/error.h"
#include "core/log.h"
#include "elb/edge.h"
#include "elb/names.h"
#include "store/table.h"

namespace sampan::elb {
namespace {

constexpr auto kHealthRead = std::chrono::seconds(5);

}  // namespace

EdgeServer::Duty Edge::duty_of(const std::string& key) const {
  using Duty = EdgeServer::Duty;
  const auto found = known_.find(key);
  if (found == known_.end() || found->second.seen == Seen::kNothing) return Duty::kProbing;
  if (found->second.stat && found->second.stat->is_up()) return Duty::kServing;
  return Duty::kFailing;
}

std::optional<TargetView> Edge::view_of(const std::string& group_arn, const std::string& address,
                                        int port) const {
  const auto key = target_key(group_arn, address, port);
  const auto* row = registry_.targets.find(key);
  const auto* group = registry_.groups.find(group_arn);
  if (!row || !group) return std::nullopt;
  TargetView view;
  view.group_in_use = used_groups_.contains(group_arn);
  view.draining = row->draining();
  view.registered = row->registered;
  view.grace = std::chrono::seconds(group->shape.HealthCheckIntervalSeconds.value_or(30) *
                                    group->shape.UnhealthyThresholdCount.value_or(2));
  if (const auto found = known_.find(key); found != known_.end()) {
    view.seen = found->second.seen;
    view.stat = found->second.stat;
  }
  return view;
}

TargetHealth Edge::health(const std::string& group_arn, const std::string& address, int port) const {
  const auto view = view_of(group_arn, address, port);
  return view ? judge(*view, clock_.now()) : not_registered();
}

// Remembers what the process says of each target.
void Edge::take_stats(const std::vector<ServerStat>& stats) {
  std::map<std::pair<std::string, std::string>, const ServerStat*> by_name;
  for (const auto& stat : stats) by_name[{stat.backend, stat.server}] = &stat;
  const auto now = clock_.now();
  for (const auto& [key, row] : registry_.targets) {
    const auto& target = row.value;
    const auto found = by_name.find(
        {backend_name(target.group_arn), server_name(target.group_arn, target.address, target.port)});
    auto& known = known_[key];
    if (found == by_name.end()) {
      known.stat.reset();
      continue;
    }
    // In drain or out of service for a moment: what it was before still holds.
    if (found->second->is_in_maintenance() || (found->second->is_draining() && !target.draining())) continue;
    known.stat = *found->second;
    if (known.stat->is_up()) known.seen = Seen::kHealthy;
    if (const auto view = view_of(target.group_arn, target.address, target.port)) {
      if (judge(*view, now).state == "unhealthy") known.seen = Seen::kUnhealthy;
    }
  }
}

io::Awaitable<void> Edge::read_health() {
  health_rung_ = false;
  next_health_read_ = clock_.now() + kHealthRead;
  auto ask = [this] { return parse_stat(ask_haproxy(settings_.admin_socket, "show stat -1 4 -1")); };
  auto stats = co_await io::offload(executors_, ask);
  // A target's first pass makes it healthy (AWS), where HAProxy would wait for `rise` passes.
  std::set<std::pair<std::string, std::string>> first_passes;
  std::string commands;
  for (const auto& [key, row] : registry_.targets) {
    const auto& target = row.value;
    const auto known = known_.find(key);
    if (target.draining() || (known != known_.end() && known->second.seen != Seen::kNothing)) continue;
    first_passes.emplace(backend_name(target.group_arn),
                         server_name(target.group_arn, target.address, target.port));
  }
  for (auto& stat : stats) {
    if (stat.is_up() || !stat.status.starts_with("DOWN") || !stat.last_check_passed()) continue;
    if (!first_passes.contains({stat.backend, stat.server})) continue;
    if (!commands.empty()) commands += ';';
    commands += mark_up(stat.backend, stat.server);
    stat.status = "UP";
  }
  if (!commands.empty()) {
    auto mark = [this, &commands] { return ask_haproxy(settings_.admin_socket, commands); };
    co_await io::offload(executors_, mark);
  }
  const auto duties = [this] {
    std::map<std::string, EdgeServer::Duty> all;
    for (const auto& [key, row] : registry_.targets) all[key] = duty_of(key);
    return all;
  };
  const auto before = duties();
  take_stats(stats);
  if (duties() != before) {
    dirty_ = true;  // the file and the twins follow
    bell_.ring();
  }
}

void Edge::tell_changes() {
  std::vector<Target> changed;
  for (const auto& [key, row] : registry_.targets) {
    const auto& target = row.value;
    auto& known = known_[key];
    const auto state = health(target.group_arn, target.address, target.port).state;
    // Failing past its grace makes it unhealthy without a word from the process.
    if (state == "unhealthy" && known.seen == Seen::kNothing) {
      known.seen = Seen::kUnhealthy;
      dirty_ = true;
      bell_.ring();
    }
    if (state == known.told) continue;
    known.told = state;
    changed.push_back({target.group_arn, target.address, target.port});
  }
  for (auto it = known_.begin(); it != known_.end();) {
    if (registry_.targets.find(it->first)) {
      ++it;
      continue;
    }
    const auto bar = it->first.find('|');
    const auto last = it->first.rfind('|');
    changed.push_back({it->first.substr(0, bar), it->first.substr(bar + 1, last - bar - 1),
                       std::atoi(it->first.c_str() + last + 1)});
    it = known_.erase(it);
  }
  for (const auto& target : changed) {
    for (const auto& listener : listeners_) listener(target);
  }
}

io::Awaitable<void> Edge::end_draining() {
  std::vector<std::string> over;
  const auto now = clock_.now();
  for (const auto& [key, row] : registry_.targets) {
    if (row.value.draining() && row.value.draining_until <= now) over.push_back(key);
  }
  if (over.empty()) co_return;
  auto body = [&](store::Txn& tx) {
    for (const auto& key : over) {
      const auto row = tx.get(registry_.targets, key);
      if (row && row->draining() && row->draining_until <= now) tx.erase(registry_.targets, key);
    }
  };
  co_await store::transact(registry_.store(), body);
}

}  // namespace sampan::elb
