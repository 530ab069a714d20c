#include "secrets/stages.h"

#include <algorithm>

namespace sampan::secrets {

std::string version_with(const SecretRow& secret, const std::string& stage) {
  for (const auto& [id, version] : secret.versions) {
    if (version.stages.contains(stage)) return id;
  }
  return {};
}

void take_stage(SecretRow& secret, const std::string& version, const std::string& stage) {
  if (const auto found = secret.versions.find(version); found != secret.versions.end()) {
    found->second.stages.erase(stage);
  }
}

void give_stage(SecretRow& secret, const std::string& version, const std::string& stage) {
  const auto holder = version_with(secret, stage);
  if (holder == version) return;
  if (!holder.empty()) {
    take_stage(secret, holder, stage);
    if (stage == kCurrent) {
      take_stage(secret, version_with(secret, kPrevious), kPrevious);
      secret.versions[holder].stages.insert(kPrevious);
    }
  }
  secret.versions[version].stages.insert(stage);
  // What is current again is no longer the previous one.
  if (stage == kCurrent && !holder.empty()) take_stage(secret, version, kPrevious);
}

std::vector<std::string> surplus_versions(const SecretRow& secret) {
  if (secret.versions.size() <= kMostVersions) return {};
  std::vector<std::pair<core::TimePoint, std::string>> unlabelled;
  for (const auto& [id, version] : secret.versions) {
    if (version.stages.empty()) unlabelled.emplace_back(version.created, id);
  }
  std::sort(unlabelled.begin(), unlabelled.end());
  std::vector<std::string> surplus;
  for (const auto& [created, id] : unlabelled) {
    if (secret.versions.size() - surplus.size() <= kMostVersions) break;
    surplus.push_back(id);
  }
  return surplus;
}

}  // namespace sampan::secrets
