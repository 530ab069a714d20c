#include "ecr/lifecycle.h"

#include <algorithm>

#include "core/log.h"
#include "core/metrics.h"
#include "core/text.h"
#include "ecr/image_family.h"
#include "ecr/storage_class.h"

namespace sampan::ecr {
namespace {

constexpr std::chrono::hours kEvery{1};           // rules by days, and whatever was missed
constexpr std::chrono::seconds kAfterPush{1};     // several pushes in a row are looked at once
constexpr std::chrono::seconds kAtMostEvery{10};  // of one repository, however busy it is
constexpr std::size_t kRowsAtOnce = 1000;         // looked at before others have a turn on the strand

RepositoryId id_of(std::string_view key) {
  const auto first = key.find('/');
  const auto second = key.find('/', first + 1);
  return {std::string(key.substr(0, first)), std::string(key.substr(first + 1, second - first - 1)),
          std::string(key.substr(second + 1))};
}

// A plan beside the images that it is about.
struct Planned {
  LifecycleAction action;
  const LifecycleImage* image;  // of the list it was made from
};

// On any thread.
std::vector<Planned> plan_for(const std::string& text, const std::vector<LifecycleImage>& images,
                              core::TimePoint now) {
  const auto actions = plan_lifecycle(parse_lifecycle_policy(text), images, now);
  std::map<image::Digest, const LifecycleImage*> by_digest;
  for (const auto& action : actions) by_digest[action.digest] = nullptr;
  for (const auto& image : images) {
    if (const auto found = by_digest.find(image.digest); found != by_digest.end()) found->second = &image;
  }
  std::vector<Planned> planned;
  planned.reserve(actions.size());
  for (const auto& action : actions) planned.push_back({action, by_digest.at(action.digest)});
  return planned;
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
  previews_.on_change([this](const std::string& key, const PreviewRow*, const PreviewRow* after) {
    const auto found = after ? results_.end() : results_.find(key);
    // One in progress ends by itself: see work_out().
    if (found != results_.end() && found->second.status != Preview::Status::kInProgress)
      results_.erase(found);
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

io::Awaitable<Preview> Lifecycle::preview(RepositoryId id, std::string text) {
  const auto images = co_await images_of(id);
  const auto now = clock_.now();
  const auto* from = &images;
  co_return co_await io::offload(executors_, [text = std::move(text), from, now]() mutable {
    Preview done;
    for (const auto& [action, image] : plan_for(text, *from, now)) {
      if (action.priority == LifecycleAction::kOfNoRule) continue;  // it is about what the rules would do
      done.items.push_back({action, image->tags, image->pushed_at, image->archived});
    }
    done.text = std::move(text);
    done.status = Preview::Status::kComplete;
    return done;
  });
}

io::Awaitable<void> Lifecycle::work_out(std::string key) {
  const auto* row = previews_.find(key);
  if (!row) co_return;
  Preview done;
  done.text = row->text;
  done.status = Preview::Status::kFailed;
  try {
    done = co_await preview(id_of(key), row->text);
  } catch (const std::exception& error) {
    core::log::error("preview of a lifecycle policy of {}: {}", key, error.what());
  }
  // The repository, and the preview with it, may be gone.
  if (previews_.find(key)) {
    results_[key] = std::move(done);
  } else {
    results_.erase(key);
  }
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

std::optional<LifecycleImage> Lifecycle::view_of(const RepositoryId& id, const std::string& key,
                                                 const ImageRow& row, core::TimePoint now) const {
  const auto status = status_of(row, now);
  if (status == ImageStatus::kActivating) return std::nullopt;  // between two classes
  // What goes with its subject. Under a tag of its own it was put there on purpose.
  if (row.subject && repositories_.find_image(id, *row.subject)) return std::nullopt;
  LifecycleImage image{.digest = digest_of_key(key)};
  image.tags = row.tags;
  image.pushed_at = row.pushed_at;
  image.pulled_at = row.pulled_at;
  image.archived_at = row.archived_at;
  image.activated_at = row.activated_at;
  image.archived = status == ImageStatus::kArchived;
  image.parents = repositories_.index().parents(id.key(), image.digest);
  image.orphan = row.subject && row.tags.empty();
  return image;
}

// A large repository is read in pieces, between which others have their turn. What changes meanwhile is seen
// or not; every action looks again.
io::Awaitable<std::vector<LifecycleImage>> Lifecycle::images_of(RepositoryId id) const {
  std::vector<LifecycleImage> images;
  const auto prefix = id.key() + '@';
  auto from = prefix;
  while (true) {
    const auto& table = repositories_.images();
    const auto now = clock_.now();
    std::size_t seen = 0;
    bool more = false;
    for (auto row = table.lower_bound(from); row != table.end() && row->first.starts_with(prefix); ++row) {
      if (++seen > kRowsAtOnce) {
        from = row->first;
        more = true;
        break;
      }
      if (auto image = view_of(id, row->first, row->second.value, now)) images.push_back(std::move(*image));
    }
    if (!more) co_return images;
    co_await boost::asio::post(executors_.control(), boost::asio::use_awaitable);
  }
}

io::Awaitable<void> Lifecycle::expire(RepositoryId id, image::Digest digest) {
  co_await repositories_.remove_image(id, digest);
  for (const auto& referrer : repositories_.index().referrers(id.key(), digest)) {
    const auto* row = repositories_.find_image(id, referrer);
    if (!row || !row->tags.empty()) continue;
    try {
      co_await expire(id, referrer);
    } catch (const Refusal&) {
      // An index names it, or it has gone: an orphan from here on.
    }
  }
}

io::Awaitable<bool> Lifecycle::act(RepositoryId id, LifecycleAction action, std::vector<std::string> tags) {
  // It may have been given another tag, or be gone, since the plan was made.
  const auto* row = repositories_.find_image(id, action.digest);
  if (!row || row->tags != tags) co_return false;
  const auto now = clock_.now();
  const bool expires = action.action == LifecycleRule::Action::kExpire;
  if (!expires && status_of(*row, now) != ImageStatus::kActive) co_return false;
  try {
    if (expires) {
      co_await expire(id, action.digest);
    } else {
      co_await move_family(repositories_, id, action.digest, Move::kToArchive, now, [](const ImageRow&) {});
    }
  } catch (const Refusal& refusal) {
    core::log::debug("lifecycle of {}: {} stays: {}", id.name, action.digest.str(), refusal.what());
    co_return false;
  }
  count(action);
  core::log::info("lifecycle of {}: rule {} {} {} ({})", id.name, action.priority,
                  expires ? "expired" : "archived", action.digest.str(),
                  tags.empty() ? "untagged" : core::join(tags, ", "));
  co_return true;
}

io::Awaitable<std::size_t> Lifecycle::evaluate(RepositoryId id) {
  const auto* row = policies_.find(id.key());
  if (!row) co_return 0;
  const auto text = row->text;
  const auto images = co_await images_of(id);
  const auto now = clock_.now();
  const auto* from = &images;
  const auto* policy = &text;
  const auto planned =
      co_await io::offload(executors_, [policy, from, now] { return plan_for(*policy, *from, now); });
  std::size_t acted = 0;
  for (const auto& [action, image] : planned) {
    // Another policy has taken its place, or none: it asks for an evaluation of its own.
    const auto* current = policies_.find(id.key());
    if (!current || current->text != text) co_return acted;
    if (co_await act(id, action, image->tags)) ++acted;
  }
  co_await store::transact(store_, [&](store::Txn& tx) {
    auto policy_row = tx.get(policies_, id.key());
    if (!policy_row) return;
    policy_row->evaluated_at = now;
    tx.put(policies_, id.key(), *policy_row);
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
