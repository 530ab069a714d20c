#include "ecr/lifecycle.h"

#include <algorithm>

#include "core/log.h"
#include "core/metrics.h"
#include "core/text.h"
#include "ecr/storage_class.h"

namespace sampan::ecr {
namespace {

constexpr std::chrono::hours kEvery{1};           // rules by days, and whatever was missed
constexpr std::chrono::seconds kAfterPush{1};     // several pushes in a row are looked at once
constexpr std::chrono::seconds kAtMostEvery{10};  // of one repository, however busy it is
constexpr std::size_t kMostRounds = 100;          // an index that goes frees its images for the next round

RepositoryId id_of(std::string_view key) {
  const auto first = key.find('/');
  const auto second = key.find('/', first + 1);
  return {std::string(key.substr(0, first)), std::string(key.substr(first + 1, second - first - 1)),
          std::string(key.substr(second + 1))};
}

void count(const LifecycleAction& action) {
  const bool expired = action.action == LifecycleRule::Action::kExpire;
  core::metrics::counter("sampan_ecr_lifecycle_actions_total", "Images that lifecycle policies acted on.",
                         {{"action", expired ? "expire" : "transition"}})
      .add();
}

}  // namespace

Lifecycle::Lifecycle(store::Store& store, io::Executors& executors, Repositories& repositories,
                     core::Clock& clock)
    : store_(store),
      executors_(executors),
      repositories_(repositories),
      clock_(clock),
      policies_(store, "/ecr/lifecycle/"),
      previews_(store, "/ecr/previews/"),
      bell_(executors.control()) {
  for (const auto& [key, row] : policies_) due_[key] = row.value.evaluated_at + kEvery;
  policies_.on_change([this](const std::string& key, const LifecycleRow* before, const LifecycleRow* after) {
    if (!after) {
      due_.erase(key);
    } else if (!before || before->text != after->text) {
      touch(key, clock_.now());
    }
  });
  repositories_.when_image_came([this](const RepositoryId& id, const image::Digest&, const std::string&) {
    const auto key = id.key();
    if (const auto* row = policies_.find(key)) {
      touch(key, std::max(clock_.now() + kAfterPush, row->evaluated_at + kAtMostEvery));
    }
  });
  repositories_.when_repository_goes([this](store::Txn& tx, const RepositoryId& id) {
    if (tx.get(policies_, id.key())) tx.erase(policies_, id.key());
    if (tx.get(previews_, id.key())) tx.erase(previews_, id.key());
  });
}

void Lifecycle::touch(const std::string& key, core::TimePoint when) {
  auto [due, fresh] = due_.try_emplace(key, when);
  if (!fresh && due->second <= when) return;
  due->second = when;
  bell_.ring();
}

// ---- policies

void Lifecycle::put_in(store::Txn& tx, const RepositoryId& id, const std::string& text) {
  tx.put(policies_, id.key(), LifecycleRow{text, clock_.now()});
}

io::Awaitable<LifecycleRow> Lifecycle::put(RepositoryId id, std::string text) {
  parse_lifecycle_policy(text);
  const LifecycleRow row{std::move(text), clock_.now()};
  co_await store::transact(store_, [&](store::Txn& tx) {
    repositories_.require(tx, id);
    tx.put(policies_, id.key(), row);
  });
  co_return row;
}

io::Awaitable<std::optional<LifecycleRow>> Lifecycle::remove(RepositoryId id) {
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    auto row = tx.get(policies_, id.key());
    if (row) tx.erase(policies_, id.key());
    return row;
  });
}

// ---- previews

io::Awaitable<bool> Lifecycle::start_preview(RepositoryId id, std::string text) {
  const auto key = id.key();
  if (const auto found = results_.find(key);
      found != results_.end() && found->second.status == Preview::Status::kInProgress) {
    co_return false;
  }
  Preview fresh;
  fresh.text = text;
  results_[key] = std::move(fresh);
  const PreviewRow row{std::move(text), clock_.now()};
  try {
    co_await store::transact(store_, [&](store::Txn& tx) {
      repositories_.require(tx, id);
      tx.put(previews_, key, row);
    });
  } catch (...) {
    results_.erase(key);
    throw;
  }
  io::spawn_detached(executors_.control(), "preview a lifecycle policy", work_out(key));
  co_return true;
}

io::Awaitable<void> Lifecycle::work_out(std::string key) {
  const auto* row = previews_.find(key);
  if (!row) co_return;
  Preview done;
  done.text = row->text;
  // Large repositories take a while: on the pool, from a copy.
  auto images = images_of(id_of(key));
  const auto now = clock_.now();
  const auto* text = &done.text;
  const auto* from = &images;
  const auto actions = co_await io::offload(
      executors_, [text, from, now] { return plan_lifecycle(parse_lifecycle_policy(*text), *from, now); });
  std::map<image::Digest, const LifecycleImage*> by_digest;
  for (const auto& image : images) by_digest[image.digest] = &image;
  for (const auto& action : actions) {
    const auto* image = by_digest.at(action.digest);
    done.items.push_back({action, image->tags, image->pushed_at, image->archived});
  }
  done.status = Preview::Status::kComplete;
  if (previews_.find(key)) results_[key] = std::move(done);
}

const Preview* Lifecycle::find_preview(const RepositoryId& id) {
  const auto key = id.key();
  const auto* row = previews_.find(key);
  if (!row) return nullptr;
  auto found = results_.find(key);
  if (found == results_.end()) {  // asked for before the last restart
    Preview again;
    again.text = row->text;
    found = results_.emplace(key, std::move(again)).first;
    io::spawn_detached(executors_.control(), "preview a lifecycle policy", work_out(key));
  }
  if (clock_.now() - row->started_at > kPreviewLife && found->second.status == Preview::Status::kComplete) {
    found->second.status = Preview::Status::kExpired;
    found->second.items.clear();
  }
  return &found->second;
}

// ---- carrying out

std::vector<LifecycleImage> Lifecycle::images_of(const RepositoryId& id) const {
  std::vector<LifecycleImage> images;
  const auto prefix = id.key() + '@';
  const auto now = clock_.now();
  const auto& table = repositories_.images();
  for (auto row = table.lower_bound(prefix); row != table.end() && row->first.starts_with(prefix); ++row) {
    const auto& image = row->second.value;
    if (image.subject && repositories_.find_image(id, *image.subject)) continue;  // goes with its subject
    auto digest = digest_of_key(row->first);
    const bool held = !repositories_.index().parents(id.key(), digest).empty();
    const auto status = status_of(image, now);
    if (status == ImageStatus::kActivating) continue;  // between two classes
    images.push_back({std::move(digest), image.tags, image.pushed_at, image.pulled_at, image.archived_at,
                      image.activated_at, status == ImageStatus::kArchived, held});
  }
  return images;
}

io::Awaitable<void> Lifecycle::expire(RepositoryId id, image::Digest digest) {
  co_await repositories_.remove_image(id, digest);
  for (const auto& referrer : repositories_.index().referrers(id.key(), digest)) {
    const auto* row = repositories_.find_image(id, referrer);
    // A signature under a tag of its own was put there on purpose.
    if (row && row->tags.empty()) co_await expire(id, referrer);
  }
}

io::Awaitable<bool> Lifecycle::act(const RepositoryId& id, LifecycleAction action,
                                   std::vector<std::string> tags) {
  // It may have been given another tag, or be gone, since the plan was made.
  const auto* row = repositories_.find_image(id, action.digest);
  if (!row || row->tags != tags) co_return false;
  try {
    if (action.action == LifecycleRule::Action::kExpire) {
      co_await expire(id, action.digest);
    } else {
      co_await repositories_.change_image(id, action.digest, [this](ImageRow& image) {
        if (status_of(image, clock_.now()) == ImageStatus::kActive) archive(image, clock_.now());
      });
    }
  } catch (const Refusal& refusal) {
    core::log::debug("lifecycle of {}: {} stays: {}", id.name, action.digest.str(), refusal.what());
    co_return false;
  }
  count(action);
  core::log::info("lifecycle of {}: rule {} {} {} ({})", id.name, action.priority,
                  action.action == LifecycleRule::Action::kExpire ? "expired" : "archived",
                  action.digest.str(), tags.empty() ? "untagged" : core::join(tags, ", "));
  co_return true;
}

io::Awaitable<std::size_t> Lifecycle::evaluate(RepositoryId id) {
  std::size_t acted = 0;
  for (std::size_t round = 0; round < kMostRounds; ++round) {
    const auto* row = policies_.find(id.key());
    if (!row) co_return acted;
    const auto policy = parse_lifecycle_policy(row->text);
    auto images = images_of(id);
    const auto now = clock_.now();
    const auto* from = &images;
    const auto* rules = &policy;
    const auto actions =
        co_await io::offload(executors_, [rules, from, now] { return plan_lifecycle(*rules, *from, now); });
    std::map<image::Digest, std::vector<std::string>> tags;
    for (auto& image : images) tags[image.digest] = std::move(image.tags);
    std::size_t done = 0;
    for (const auto& action : actions) {
      if (co_await act(id, action, tags.at(action.digest))) ++done;
    }
    acted += done;
    if (done == 0) break;
  }
  const auto now = clock_.now();
  co_await store::transact(store_, [&](store::Txn& tx) {
    auto row = tx.get(policies_, id.key());
    if (!row) return;
    row->evaluated_at = now;
    tx.put(policies_, id.key(), *row);
  });
  co_return acted;
}

core::TimePoint Lifecycle::next_due() const {
  auto next = clock_.now() + kEvery;
  for (const auto& [key, when] : due_) next = std::min(next, when);
  return next;
}

io::Awaitable<void> Lifecycle::reconcile() {
  while (true) {
    const auto wait = std::max(core::Millis(0), next_due() - clock_.now());
    co_await bell_.wait_for(wait);
    std::vector<std::string> ready;
    for (const auto& [key, when] : due_) {
      if (when <= clock_.now()) ready.push_back(key);
    }
    for (const auto& key : ready) {
      due_[key] = clock_.now() + kEvery;  // before it is looked at: a push meanwhile counts
      try {
        co_await evaluate(id_of(key));
      } catch (const core::Error& error) {
        core::log::warn("lifecycle of {}: {}", key, error.what());
      } catch (const BadLifecyclePolicy& bad) {
        core::log::error("lifecycle of {}: its policy cannot be read: {}", key, bad.what());
      }
      if (!policies_.find(key)) due_.erase(key);
    }
  }
}

RepositoryTemplates::PolicyOwner lifecycle_owner(Lifecycle& lifecycle) {
  const auto check = [](const std::string& text) -> std::optional<std::string> {
    try {
      parse_lifecycle_policy(text);
    } catch (const BadLifecyclePolicy& bad) {
      return lifecycle_refusal(bad);
    }
    return std::nullopt;
  };
  const auto put = [&lifecycle](store::Txn& tx, const RepositoryId& id, const std::string& text) {
    lifecycle.put_in(tx, id, text);
  };
  return {check, put};
}

}  // namespace sampan::ecr

namespace sampan::store {
using namespace sampan::ecr;  // NOLINT: the codecs are the rows' own words

namespace {

// "<milliseconds> <text>"
std::string encode_dated(core::TimePoint time, const std::string& text) {
  return std::to_string(time.time_since_epoch().count()) + ' ' + text;
}

std::pair<core::TimePoint, std::string> decode_dated(std::string_view row) {
  const auto space = std::min(row.find(' '), row.size());
  const auto number = core::parse_int(row.substr(0, space));
  if (!number) throw core::Error("read a lifecycle row", "it does not begin with a time");
  return {core::TimePoint(core::Millis(*number)), std::string(row.substr(std::min(row.size(), space + 1)))};
}

}  // namespace

std::string RowCodec<LifecycleRow>::encode(const LifecycleRow& row) {
  return encode_dated(row.evaluated_at, row.text);
}
LifecycleRow RowCodec<LifecycleRow>::decode(std::string_view text) {
  auto [time, policy] = decode_dated(text);
  return {std::move(policy), time};
}
std::string RowCodec<PreviewRow>::encode(const PreviewRow& row) {
  return encode_dated(row.started_at, row.text);
}
PreviewRow RowCodec<PreviewRow>::decode(std::string_view text) {
  auto [time, policy] = decode_dated(text);
  return {std::move(policy), time};
}

}  // namespace sampan::store
