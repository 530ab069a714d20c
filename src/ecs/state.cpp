#include "ecs/state.h"

namespace sampan::ecs {
namespace {

template <class Map>
const typename Map::mapped_type& find_or_empty(const Map& map, const std::string& key) {
  static const typename Map::mapped_type kEmpty{};
  auto found = map.find(key);
  return found == map.end() ? kEmpty : found->second;
}

void forget_member(std::unordered_map<std::string, std::set<std::string>>& index, const std::string& key,
                   const std::string& member) {
  auto found = index.find(key);
  if (found == index.end()) return;
  found->second.erase(member);
  if (found->second.empty()) index.erase(found);
}

bool is_pending(const std::string& status) {
  return status == "PROVISIONING" || status == "PENDING" || status == "ACTIVATING";
}

}  // namespace

State::State(store::Store& s)
    : store(s),
      clusters(s, "/ecs/clusters/"),
      families(s, "/ecs/families/"),
      definitions(s, "/ecs/definitions/"),
      tasks(s, "/ecs/tasks/"),
      services(s, "/ecs/services/"),
      events(s, "/ecs/events/"),
      instances(s, "/ecs/instances/"),
      tokens(s, "/ecs/tokens/"),
      deployment_records(s, "/ecs/deployments/"),
      revisions(s, "/ecs/revisions/") {
  for (const auto& [key, row] : tasks) index_task(key, nullptr, &row.value);
  for (const auto& [key, row] : services) index_service(nullptr, &row.value);
  tasks.on_change([this](const std::string& key, const TaskRow* before, const TaskRow* after) {
    index_task(key, before, after);
  });
  services.on_change([this](const std::string&, const ServiceRow* before, const ServiceRow* after) {
    index_service(before, after);
  });
}

const ClusterCounts& State::counts(const std::string& cluster_key) const {
  return find_or_empty(counts_, cluster_key);
}
const std::set<std::string>& State::tasks_of(const std::string& service_key) const {
  return find_or_empty(by_service_, service_key);
}
const std::string& State::task_key(const std::string& id) const {
  return find_or_empty(by_id_, id);
}
const std::set<std::string>& State::tasks_at(const std::string& address) const {
  return find_or_empty(by_address_, address);
}
int State::uses_of(const std::string& definition_arn) const {
  return find_or_empty(uses_, definition_arn);
}

const DefinitionRow* State::newest_active(const Scope& scope, const std::string& family) const {
  const auto* known = families.find(scope_key(scope) + family);
  if (!known) return nullptr;
  for (int revision = known->last_revision; revision > 0; --revision) {
    const auto* row = definitions.find(definition_key(scope, family, revision));
    if (row && row->definition.status == "ACTIVE") return row;
  }
  return nullptr;
}

const DefinitionRow* State::find_definition(const Scope& scope, std::string_view reference) const {
  auto name = parse_definition(scope, reference);
  if (!name) return nullptr;
  if (!name->revision) return newest_active(scope, name->family);
  return definitions.find(definition_key(scope, name->family, *name->revision));
}

void State::count_task(const TaskRow& row, int by) {
  auto& counts = counts_[cluster_key(row.scope, row.cluster)];
  const auto& status = *row.task.lastStatus;
  if (status == "RUNNING") counts.running += by;
  if (is_pending(status)) counts.pending += by;
  if (row.stopped()) return;
  counts.unstopped += by;
  uses_[*row.task.taskDefinitionArn] += by;
}

void State::index_task(const std::string& key, const TaskRow* before, const TaskRow* after) {
  if (before) count_task(*before, -1);
  if (after) count_task(*after, +1);
  if (before && !before->network.address.empty()) forget_member(by_address_, before->network.address, key);
  if (after && !after->stopped() && !after->network.address.empty()) {
    by_address_[after->network.address].insert(key);
  }
  if (after && !before) {
    by_id_[after->id] = key;
    if (!after->service.empty())
      by_service_[member_key(after->scope, after->cluster, after->service)].insert(key);
  }
  if (before && !after) {
    by_id_.erase(before->id);
    if (!before->service.empty()) {
      forget_member(by_service_, member_key(before->scope, before->cluster, before->service), key);
    }
  }
}

void State::index_service(const ServiceRow* before, const ServiceRow* after) {
  auto count = [this](const ServiceRow& row, int by) {
    auto& counts = counts_[cluster_key(row.scope, row.cluster)];
    if (row.active()) counts.services += by;
    if (row.inactive()) return;
    counts.live_services += by;
    for (const auto& deployment : row.deployments) uses_[deployment.task_definition] += by;
  };
  if (before) count(*before, -1);
  if (after) count(*after, +1);
}

}  // namespace sampan::ecs
