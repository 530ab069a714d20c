#include "ecs/service_api.h"

#include "ecs/launcher.h"
#include "ecs/service_reconciler.h"
#include "ecs/state.h"
#include "ecs/task_reconciler.h"

namespace sampan::ecs {

EcsApi::EcsApi(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      state_(std::make_unique<State>(parts_.store)),
      launcher_(std::make_unique<Launcher>(*state_, parts_, options_)),
      tasks_(std::make_unique<TaskReconciler>(*state_, parts_, options_)),
      services_(std::make_unique<ServiceReconciler>(*state_, parts_, options_, *launcher_, *tasks_)) {}

EcsApi::~EcsApi() = default;

io::Awaitable<void> EcsApi::start() {
  if (options_.machine.cpu_units > 0) co_await register_machine();
  parts_.targets.on_change([this](const elb::Target& target) {
    tasks_->target_changed(target);
    services_->target_changed(target);
  });
  tasks_->start();
  services_->start();
}

void EcsApi::stop() {
  tasks_->stop();
  services_->stop();
}

std::vector<image::Digest> EcsApi::images_in_use() const {
  std::vector<image::Digest> images;
  const auto add = [&images](const std::map<std::string, std::string>& digests) {
    for (const auto& [container, text] : digests) {
      if (const auto digest = image::Digest::parse(text)) images.push_back(*digest);
    }
  };
  for (const auto& [key, row] : state_->services) {
    if (row.value.inactive()) continue;
    for (const auto& deployment : row.value.deployments) add(deployment.digests);
    if (row.value.last_completed) add(row.value.last_completed->digests);
  }
  for (const auto& [key, row] : state_->tasks) {
    if (!row.value.stopped()) add(row.value.digests);
  }
  return images;
}

void EcsApi::kick() {
  tasks_->kick();
  services_->kick();
}

const api::ecs::Cluster& EcsApi::cluster_of(const Call& call, const std::optional<std::string>& reference,
                                            std::string& name) const {
  auto scope = scope_of(call);
  auto found = cluster_name(scope, reference);
  const auto* row = found ? state_->clusters.find(cluster_key(scope, *found)) : nullptr;
  if (!row || row->status != "ACTIVE") throw api::ecs::ClusterNotFoundException("Cluster not found.");
  name = *found;
  return *row;
}

}  // namespace sampan::ecs
