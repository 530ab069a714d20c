// Settings of a registry (an account in a region): account settings, and principals whose pulls do not count.
//
//   /ecr/settings/<account>/<region>/<name>          the value
//   /ecr/pull-exclusions/<account>/<region>/<arn>    when it was registered
//
// Changed on the control strand; the questions may be asked from any thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "ecr/names.h"
#include "io/executors.h"
#include "store/table.h"

namespace sampan::ecr {

struct SettingRow {
  std::string value;
};
struct ExclusionRow {
  core::TimePoint created_at{};
};

inline constexpr std::size_t kMostExclusions = 100;  // the API model's limit of a list

class RegistrySettings {
 public:
  RegistrySettings(store::Store& store, core::Clock& clock);

  // nullptr: there is no such setting. Values in the order of the API, the default first.
  static const std::vector<std::string>* values_of(std::string_view name);
  std::string get(const std::string& account, const std::string& region, const std::string& name) const;
  // `value` is one of values_of(name).
  io::Awaitable<void> put(std::string account, std::string region, std::string name, std::string value);

  // Nothing when it is registered already, or (see full()) there are too many.
  io::Awaitable<std::optional<core::TimePoint>> exclude(std::string account, std::string region,
                                                        std::string principal);
  io::Awaitable<bool> include(std::string account, std::string region, std::string principal);
  bool full(const std::string& account, const std::string& region) const;
  const store::Table<ExclusionRow>& exclusions() const { return exclusions_; }

  // Whether a pull by this principal changes an image's last recorded pull time. A session of an assumed role
  // is its role. Thread-safe.
  bool counts_pull(const RepositoryId& repository, std::string_view principal_arn) const;
  // Whether blobs may be mounted from other repositories. Thread-safe.
  bool mounts_blobs(const RepositoryId& repository) const;

 private:
  void remember(const std::string& key, bool excluded);

  store::Store& store_;
  core::Clock& clock_;
  store::Table<SettingRow> settings_;
  store::Table<ExclusionRow> exclusions_;
  mutable std::shared_mutex mutex_;
  std::set<std::string, std::less<>> excluded_;   // "<account>/<region>/<arn>": a copy for other threads
  std::set<std::string, std::less<>> unmounted_;  // "<account>/<region>" with blob mounting disabled
};

}  // namespace sampan::ecr

template <>
struct sampan::store::RowCodec<sampan::ecr::SettingRow> {
  static std::string encode(const ecr::SettingRow& row) { return row.value; }
  static ecr::SettingRow decode(std::string_view text) { return {std::string(text)}; }
};
template <>
struct sampan::store::RowCodec<sampan::ecr::ExclusionRow> {
  static std::string encode(const ecr::ExclusionRow& row);
  static ecr::ExclusionRow decode(std::string_view text);
};
