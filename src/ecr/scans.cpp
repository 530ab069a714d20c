#include "ecr/scans.h"

#include <algorithm>

#include "core/log.h"
#include "image/manifest.h"

namespace sampan::ecr {
namespace {

constexpr std::chrono::hours kScanInterval{24};
constexpr int kRowsAPiece = 500;

std::string rules_key(std::string_view account, std::string_view region) {
  return std::string(account) + '/' + std::string(region);
}

unsigned worker_count() {
  return std::clamp(std::thread::hardware_concurrency() / 4, 1U, 4U);
}

}  // namespace

Scans::Scans(store::Store& store, io::Executors& executors, Repositories& repositories,
             image::ContentStore& content, core::Clock& clock, const std::filesystem::path& data_dir,
             std::string database)
    : store_(store),
      executors_(executors),
      repositories_(repositories),
      content_(content),
      clock_(clock),
      files_(data_dir),
      rules_(store, "/ecr/scan-rules/"),
      scans_(store, "/ecr/scans/"),
      bell_(executors.control()),
      pool_(worker_count() + 1) {
  if (!database.empty()) {
    source_.emplace(executors, pool_, std::move(database), data_dir / "scans" / "database", files_.work());
  }
  repositories.when_image_goes([this](store::Txn& tx, const RepositoryId& id, const image::Digest& digest) {
    if (scans_.find(id.image_key(digest))) tx.erase(scans_, id.image_key(digest));
  });
  repositories.when_image_comes([this](store::Txn& tx, const Repositories::Arrival& arrival) {
    if (plan(arrival.repository).on_push()) enlist(tx, arrival.repository, arrival.digest, arrival.row);
  });
  for (const auto& [key, row] : scans_) ++manifests_[digest_of_key(key).str()];
  scans_.on_change([this](const std::string& key, const ScanRow* before, const ScanRow* after) {
    note_change(key, before, after);
  });
}

Scans::~Scans() {
  stop();
}

void Scans::start() {
  const auto& control = executors_.control();
  if (source_) io::spawn_detached(control, "vulnerability database", watch_database());
  io::spawn_detached(control, "image scans", sweep_then_work());
}

void Scans::stop() {
  stopped_ = true;
  stop_.request_stop();
}

ScanRulesRow Scans::rules(const std::string& account, const std::string& region) const {
  const auto* row = rules_.find(rules_key(account, region));
  return row ? *row : ScanRulesRow();
}

io::Awaitable<void> Scans::set_rules(std::string account, std::string region, ScanRulesRow row) {
  co_await store::transact(store_, [&](store::Txn& tx) { tx.put(rules_, rules_key(account, region), row); });
  co_await enlist_continuous();
  co_await consider_all();
}

ScanPlan Scans::plan(const RepositoryId& id) const {
  const auto* repository = repositories_.find(id);
  return plan_scans(rules(id.account, id.region), id.name, repository && repository->scan_on_push);
}

bool Scans::is_scannable(const ImageRow& row) {
  if (!row.children.empty() || image::is_index_type(row.media_type)) return false;
  return row.artifact_type == image::kOciConfig || row.artifact_type == image::kDockerConfig;
}

void Scans::enlist(store::Txn& tx, const RepositoryId& id, const image::Digest& digest, const ImageRow& row) {
  const auto key = id.image_key(digest);
  if (!is_scannable(row) || tx.get(scans_, key)) return;
  ScanRow scan;
  scan.wanted = true;
  scan.created_at = clock_.now();
  scan.requested_at = scan.created_at;
  tx.put(scans_, key, scan);
}

io::Awaitable<Scans::Start> Scans::start_scan(RepositoryId id, image::Digest digest) {
  if (rules(id.account, id.region).enhanced) co_return Start::kContinuous;
  const auto now = clock_.now();
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    if (!repositories_.find_image(id, digest)) return Start::kNoImage;
    const auto before = tx.get(scans_, id.image_key(digest));
    const bool counts = before && (before->wanted || before->outcome == ScanRow::Outcome::kComplete ||
                                   before->outcome == ScanRow::Outcome::kUnsupported);
    if (counts && (before->wanted || now - before->requested_at < kScanInterval)) return Start::kTooSoon;
    auto row = before.value_or(ScanRow());
    if (!before) row.created_at = now;
    row.wanted = true;
    row.requested_at = now;
    tx.put(scans_, id.image_key(digest), row);
    return Start::kStarted;
  });
}

const ScanRow* Scans::find(const RepositoryId& id, const image::Digest& digest) const {
  return scans_.find(id.image_key(digest));
}

ScanView Scans::view(const RepositoryId& id, const ScanRow& row) const {
  using Outcome = ScanRow::Outcome;
  const bool enhanced = rules(id.account, id.region).enhanced;
  const bool has = row.completed_at.has_value();
  if (row.wanted && !(has && enhanced)) {
    return enhanced ? ScanView{"PENDING", "The image is waiting for its first scan.", has}
                    : ScanView{"IN_PROGRESS", "The scan is in progress.", false};
  }
  switch (row.outcome) {
    case Outcome::kNoDatabase:
      return {enhanced ? "FINDINGS_UNAVAILABLE" : "FAILED", row.problem, false};
    case Outcome::kUnsupported:
      return {enhanced ? "UNSUPPORTED_IMAGE" : "FAILED", row.problem, false};
    case Outcome::kFailed:
      return {"FAILED", row.problem, false};
    default:
      break;
  }
  if (enhanced && plan(id).continuous()) return {"ACTIVE", "Continuous scan is selected for image.", true};
  return {"COMPLETE", "The scan was completed successfully.", true};
}

io::Awaitable<std::shared_ptr<const scan::Report>> Scans::report(RepositoryId id, image::Digest digest) {
  auto* files = &files_;
  const auto key = id.image_key(digest);
  const auto* row = scans_.find(key);
  if (!row) throw core::Error("read the findings of " + key, "there are none");
  co_return co_await io::offload(executors_, [files, name = report_name(key, *row)] {
    return std::make_shared<const scan::Report>(files->report(name));
  });
}

// True when a worker has something to do for the row.
bool Scans::is_wanted(const std::string& key, const ScanRow& row) const {
  if (row.wanted) return true;
  // A database has come that was not there.
  if (row.outcome == ScanRow::Outcome::kNoDatabase) return database_.database != nullptr;
  if (row.outcome != ScanRow::Outcome::kComplete || !database_.database) return false;
  return row.database != database_.signature && plan(repository_of_key(key)).continuous();
}

void Scans::consider(const std::string& key) {
  const auto* row = scans_.find(key);
  if (!row || !is_wanted(key, *row) || !queued_.insert(key).second) return;
  queue_.push_back(key);
  bell_.ring();
}

// In pieces: others on the strand need not wait for a hundred thousand rows.
io::Awaitable<void> Scans::consider_all() {
  std::string after;
  while (true) {
    auto row = scans_.lower_bound(after);
    for (int i = 0; i < kRowsAPiece && row != scans_.end(); ++i, ++row) consider(row->first);
    if (row == scans_.end()) co_return;
    after = row->first;
    co_await boost::asio::post(executors_.control(), boost::asio::use_awaitable);
  }
}

void Scans::note_change(const std::string& key, const ScanRow* before, const ScanRow* after) {
  const auto manifest = digest_of_key(key).str();
  if (!before && after) ++manifests_[manifest];
  if (before && !after) {
    const bool last = --manifests_[manifest] == 0;
    if (last) manifests_.erase(manifest);
    io::spawn_detached(executors_.control(), "forget a scan's files",
                       forget_files(report_name(key, *before), digest_of_key(key), last));
  }
  consider(key);
}

// What can be done now: while a configured database is being loaded for the first time, nothing is.
std::optional<std::string> Scans::next() {
  if (source_ && !database_.database && database_problem_.empty()) return std::nullopt;
  for (std::size_t i = queue_.size(); i > 0; --i) {
    auto key = std::move(queue_.front());
    queue_.pop_front();
    if (busy_.contains(key)) {
      queue_.push_back(std::move(key));
      continue;
    }
    queued_.erase(key);
    return key;
  }
  return std::nullopt;
}

}  // namespace sampan::ecr
