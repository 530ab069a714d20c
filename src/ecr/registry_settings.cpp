#include "ecr/registry_settings.h"

#include <mutex>

#include "core/error.h"
#include "core/text.h"

namespace sampan::ecr {
namespace {

constexpr char kMounting[] = "/BLOB_MOUNTING";

const std::map<std::string, std::vector<std::string>, std::less<>>& known_settings() {
  static const std::map<std::string, std::vector<std::string>, std::less<>> known{
      {"BASIC_SCAN_TYPE_VERSION", {"AWS_NATIVE", "CLAIR"}},
      {"REGISTRY_POLICY_SCOPE", {"V2", "V1"}},
      // ECR's default is DISABLED; here content is stored once anyway, and clients expect what OCI describes.
      {"BLOB_MOUNTING", {"ENABLED", "DISABLED"}},
  };
  return known;
}

std::string registry_key(const std::string& account, const std::string& region) {
  return account + '/' + region;
}

// "arn:aws:sts::A:assumed-role/R/S" is a session of "arn:aws:iam::A:role/R".
std::string as_registered(std::string_view arn) {
  constexpr std::string_view kSession = ":assumed-role/";
  const auto at = arn.find(kSession);
  if (!arn.starts_with("arn:aws:sts::") || at == arn.npos) return std::string(arn);
  const auto account = arn.substr(13, at - 13);
  auto role = arn.substr(at + kSession.size());
  role = role.substr(0, role.rfind('/'));
  return "arn:aws:iam::" + std::string(account) + ":role/" + std::string(role);
}

}  // namespace

RegistrySettings::RegistrySettings(store::Store& store, core::Clock& clock)
    : store_(store),
      clock_(clock),
      settings_(store, "/ecr/settings/"),
      exclusions_(store, "/ecr/pull-exclusions/") {
  const auto keep_setting = [this](const std::string& key, const SettingRow* row) {
    if (!key.ends_with(kMounting)) return;
    const std::lock_guard lock(mutex_);
    const auto registry = key.substr(0, key.size() - (sizeof kMounting - 1));
    if (row && row->value == "DISABLED") {
      unmounted_.insert(registry);
    } else {
      unmounted_.erase(registry);
    }
  };
  for (const auto& [key, row] : settings_) keep_setting(key, &row.value);
  for (const auto& [key, row] : exclusions_) remember(key, true);
  settings_.on_change([keep_setting](const std::string& key, const SettingRow*, const SettingRow* after) {
    keep_setting(key, after);
  });
  exclusions_.on_change([this](const std::string& key, const ExclusionRow*, const ExclusionRow* after) {
    remember(key, after != nullptr);
  });
}

void RegistrySettings::remember(const std::string& key, bool excluded) {
  const std::lock_guard lock(mutex_);
  if (excluded) {
    excluded_.insert(key);
  } else {
    excluded_.erase(key);
  }
}

const std::vector<std::string>* RegistrySettings::values_of(std::string_view name) {
  const auto found = known_settings().find(name);
  return found == known_settings().end() ? nullptr : &found->second;
}

std::string RegistrySettings::get(const std::string& account, const std::string& region,
                                  const std::string& name) const {
  if (const auto* row = settings_.find(registry_key(account, region) + '/' + name)) return row->value;
  return values_of(name)->front();
}

io::Awaitable<void> RegistrySettings::put(std::string account, std::string region, std::string name,
                                          std::string value) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    tx.put(settings_, registry_key(account, region) + '/' + name, SettingRow{value});
  });
}

bool RegistrySettings::full(const std::string& account, const std::string& region) const {
  const auto prefix = registry_key(account, region) + '/';
  std::size_t count = 0;
  for (auto row = exclusions_.lower_bound(prefix); row != exclusions_.end() && row->first.starts_with(prefix);
       ++row) {
    ++count;
  }
  return count >= kMostExclusions;
}

io::Awaitable<std::optional<core::TimePoint>> RegistrySettings::exclude(std::string account,
                                                                        std::string region,
                                                                        std::string principal) {
  const auto key = registry_key(account, region) + '/' + principal;
  const auto now = clock_.now();
  co_return co_await store::transact(store_, [&](store::Txn& tx) -> std::optional<core::TimePoint> {
    if (tx.get(exclusions_, key) || full(account, region)) return std::nullopt;
    tx.put(exclusions_, key, ExclusionRow{now});
    return now;
  });
}

io::Awaitable<bool> RegistrySettings::include(std::string account, std::string region,
                                              std::string principal) {
  const auto key = registry_key(account, region) + '/' + principal;
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    if (!tx.get(exclusions_, key)) return false;
    tx.erase(exclusions_, key);
    return true;
  });
}

bool RegistrySettings::counts_pull(const RepositoryId& repository, std::string_view principal_arn) const {
  const std::shared_lock lock(mutex_);
  if (excluded_.empty()) return true;
  return !excluded_.contains(registry_key(repository.account, repository.region) + '/' +
                             as_registered(principal_arn));
}

bool RegistrySettings::mounts_blobs(const RepositoryId& repository) const {
  const std::shared_lock lock(mutex_);
  return unmounted_.empty() || !unmounted_.contains(registry_key(repository.account, repository.region));
}

}  // namespace sampan::ecr

namespace sampan::store {

std::string RowCodec<ecr::ExclusionRow>::encode(const ecr::ExclusionRow& row) {
  return std::to_string(row.created_at.time_since_epoch().count());
}

ecr::ExclusionRow RowCodec<ecr::ExclusionRow>::decode(std::string_view text) {
  const auto number = core::parse_int(text);
  if (!number) throw core::Error("read an exclusion's row", "it is no time");
  return {core::TimePoint(core::Millis(*number))};
}

}  // namespace sampan::store
