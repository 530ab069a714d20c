// Lifecycle policies of repositories: kept, previewed and carried out.
//
//   /ecr/lifecycle/<repository key>   LifecycleRow
//   /ecr/previews/<repository key>    PreviewRow: what was asked for; results are worked out anew after a
//   restart
//
// The reconciler looks at a repository soon after its policy or its images changed, and at all of them every
// hour. It plans from the rows and carries the plan out image by image, each looked at again before it goes;
// it can be killed at any point and begins anew from what the rows say. On the control strand.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ecr/lifecycle_plan.h"
#include "ecr/repositories.h"
#include "ecr/repository_templates.h"

namespace sampan::ecr {

struct LifecycleRow {
  std::string text;
  core::TimePoint evaluated_at{};  // the last time it was carried out; of a new one: when it was put
};

struct PreviewRow {
  std::string text;  // the policy that is previewed
  core::TimePoint started_at{};
};

struct Preview {
  enum class Status { kInProgress, kComplete, kExpired, kFailed };
  Status status = Status::kInProgress;
  std::string text;
  struct Item {
    LifecycleAction action;
    std::vector<std::string> tags;
    core::TimePoint pushed_at{};
    bool archived = false;
  };
  std::vector<Item> items;  // in the order of the plan
};

inline constexpr std::chrono::hours kPreviewLife{24};

class Lifecycle {
 public:
  Lifecycle(store::Store& store, io::Executors& executors, Repositories& repositories, core::Clock& clock);

  // Throws BadLifecyclePolicy; durable when it returns. The repository must be there: throws Refusal.
  io::Awaitable<LifecycleRow> put(RepositoryId id, std::string text);
  const LifecycleRow* find(const RepositoryId& id) const { return policies_.find(id.key()); }
  io::Awaitable<std::optional<LifecycleRow>> remove(RepositoryId id);
  // For the transaction that makes a repository from a template. The text has been checked.
  void put_in(store::Txn& tx, const RepositoryId& id, const std::string& text);

  // False when one is in progress. `text` has been checked.
  io::Awaitable<bool> start_preview(RepositoryId id, std::string text);
  // nullptr: none was started.
  const Preview* find_preview(const RepositoryId& id);

  // Until the executors stop.
  io::Awaitable<void> reconcile();
  // Carries the repository's policy out now; how many images it acted on.
  io::Awaitable<std::size_t> evaluate(RepositoryId id);

 private:
  io::Awaitable<std::vector<LifecycleImage>> images_of(RepositoryId id) const;
  std::optional<LifecycleImage> view_of(const RepositoryId& id, const std::string& key, const ImageRow& row,
                                        core::TimePoint now) const;
  void touch(const std::string& key, core::TimePoint when);
  core::TimePoint next_due() const;
  io::Awaitable<bool> act(RepositoryId id, LifecycleAction action, std::vector<std::string> tags);
  io::Awaitable<void> expire(RepositoryId id, image::Digest digest);
  io::Awaitable<void> work_out(std::string key);
  io::Awaitable<Preview> preview(RepositoryId id, std::string text);

  store::Store& store_;
  io::Executors& executors_;
  Repositories& repositories_;
  core::Clock& clock_;
  store::Table<LifecycleRow> policies_;
  store::Table<PreviewRow> previews_;
  std::map<std::string, Preview, std::less<>> results_;      // of the rows in previews_
  std::map<std::string, core::TimePoint, std::less<>> due_;  // repository key -> when to look at it
  io::Bell bell_;
};

// What repository templates need of it for the policies that they carry. `lifecycle` outlives the owner.
RepositoryTemplates::PolicyOwner lifecycle_owner(Lifecycle& lifecycle);

}  // namespace sampan::ecr

template <>
struct sampan::store::RowCodec<sampan::ecr::LifecycleRow> {
  static std::string encode(const ecr::LifecycleRow& row);
  static ecr::LifecycleRow decode(std::string_view text);
};
template <>
struct sampan::store::RowCodec<sampan::ecr::PreviewRow> {
  static std::string encode(const ecr::PreviewRow& row);
  static ecr::PreviewRow decode(std::string_view text);
};
