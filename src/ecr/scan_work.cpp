// Scans: the workers, and the watch over the database.
#include <fmt/core.h>

#include "core/log.h"
#include "ecr/scans.h"
#include "image/image_config.h"
#include "image/manifest.h"
#include "scan/image_reader.h"

namespace sampan::ecr {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRowsATransaction = 256;
constexpr int kRowsAPiece = 500;
constexpr auto kRetryAfterFailure = 10s;
constexpr char kNoDatabaseText[] =
    "No findings: this Sampan has no vulnerability database. Start sampand with --vulnerability-db DIR|URL "
    "(OSV records).";

// The packages of the image, kept or read now. On a low-priority thread.
scan::Inventory take_inventory(ScanFiles& files, const image::ContentStore& content,
                               const image::Digest& digest, const std::stop_token& stop) {
  if (auto kept = files.inventory(digest)) return std::move(*kept);
  const auto manifest = image::parse_manifest(content.read(digest, image::kLargestManifest));
  if (manifest.is_index()) throw core::Error("read the image's packages", "it is an index of images");
  core::log::debug("read the packages of {}", digest.str());
  auto inventory = scan::read_image(content, manifest, {}, stop);
  try {
    inventory.architecture = image::parse_config(content.read(manifest.config->digest, image::kLargestConfig))
                                 .platform.architecture;
  } catch (const core::Error&) {
    // A configuration that says nothing readable: the architecture is shown in findings only.
  }
  files.keep_inventory(digest, inventory);
  return inventory;
}

// Nothing can be said of an image whose system and packages are both unknown.
bool is_unsupported(const scan::Inventory& inventory) {
  return inventory.packages.empty() && !scan::is_known(inventory.os);
}

}  // namespace

io::Awaitable<scan::Inventory> Scans::inventory(image::Digest manifest) {
  auto* files = &files_;
  auto* content = &content_;
  const bool kept = manifests_.contains(manifest.str());
  co_return co_await pool_.run([files, content, manifest, kept, stop = stop_.get_token()] {
    auto inventory = take_inventory(*files, *content, manifest, stop);
    if (!kept) files->forget_inventory(manifest);  // no row speaks of it, so that nobody would remove it
    return inventory;
  });
}

// The rows that are to be are known only now: nothing is written before the sweep has ended.
io::Awaitable<void> Scans::sweep_then_work() {
  std::set<std::string> keys;
  std::set<image::Digest> manifests;
  for (const auto& [key, row] : scans_) {
    keys.insert(report_name(key, row.value));
    manifests.insert(digest_of_key(key));
  }
  auto* files = &files_;
  co_await pool_.run(
      [files, keys = std::move(keys), manifests = std::move(manifests)] { files->sweep(keys, manifests); });
  co_await enlist_continuous();
  co_await consider_all();
  for (unsigned i = 0; i < std::clamp(std::thread::hardware_concurrency() / 4, 1U, 4U); ++i) {
    io::spawn_detached(executors_.control(), "image scans", work());
  }
}

io::Awaitable<void> Scans::work() {
  while (!stopped_) {
    const auto key = next();
    if (!key) {
      co_await bell_.wait_for(60s);
      continue;
    }
    bell_.ring();  // another worker may find something as well
    busy_.insert(*key);
    bool failed = false;
    try {
      co_await scan(*key);
    } catch (const scan::Stopped&) {
      co_return;
    } catch (const std::exception& error) {
      core::log::error("scan of {}: {}", *key, error.what());
      failed = true;
    }
    busy_.erase(*key);
    if (failed) co_await io::sleep_for(kRetryAfterFailure);
    consider(*key);
  }
}

io::Awaitable<void> Scans::scan(std::string key) {
  const auto* row = scans_.find(key);
  if (!row || !is_wanted(key, *row)) co_return;
  const auto before = *row;
  const auto database = database_;  // a newer one may come meanwhile
  Result result;
  if (database.database) {
    result = co_await examine(key, report_name(key, before), database.database);
  } else {
    result.outcome = ScanRow::Outcome::kNoDatabase;
    result.problem = source_ ? "No findings: " + database_problem_ : kNoDatabaseText;
  }
  co_await store_result(key, before, std::move(result), database.signature, database.updated_at);
}

// Read, match, and keep what was found; the row follows.
io::Awaitable<Scans::Result> Scans::examine(std::string key, std::string name,
                                            std::shared_ptr<const scan::Database> database) {
  auto* files = &files_;
  auto* content = &content_;
  co_return co_await pool_.run([=, stop = stop_.get_token()] {
    Result result;
    try {
      const auto inventory = take_inventory(*files, *content, digest_of_key(key), stop);
      if (is_unsupported(inventory)) {
        result.outcome = ScanRow::Outcome::kUnsupported;
        result.problem =
            "UnsupportedImageError: The operating system and/or package manager are not supported.";
        return result;
      }
      const auto report = scan::match(inventory, *database);
      files->keep_report(name, report);
      result.outcome = ScanRow::Outcome::kComplete;
      for (const auto& [severity, count] : report.counts)
        result.counts[std::string(scan::name_of(severity))] = count;
    } catch (const scan::Stopped&) {
      throw;
    } catch (const std::exception& error) {
      result.outcome = ScanRow::Outcome::kFailed;
      result.problem = std::string("The image could not be scanned: ") + error.what();
      core::log::warn("scan of {}: {}", key, error.what());
    }
    return result;
  });
}

io::Awaitable<void> Scans::store_result(std::string key, ScanRow before, Result result, std::string database,
                                        core::TimePoint source) {
  const auto now = clock_.now();
  const bool kept = co_await store::transact(store_, [&](store::Txn& tx) {
    auto row = tx.get(scans_, key);
    if (!row || row->created_at != before.created_at) return false;  // the image has gone meanwhile
    if (row->requested_at == before.requested_at)
      row->wanted = false;  // else it was asked for again meanwhile
    row->outcome = result.outcome;
    row->problem = result.problem;
    row->counts = result.counts;
    if (result.outcome == ScanRow::Outcome::kComplete) {
      if (!row->first_at) row->first_at = now;
      row->completed_at = now;
      row->source_at = source;
      row->database = database;
    }
    tx.put(scans_, key, *row);
    return true;
  });
  const auto manifest = digest_of_key(key);
  if (!kept) co_await forget_files(report_name(key, before), manifest, !manifests_.contains(manifest.str()));
}

io::Awaitable<void> Scans::watch_database() {
  while (!stopped_) {
    try {
      auto loaded = co_await source_->refresh(database_.signature, stop_.get_token());
      database_problem_.clear();
      if (loaded) {
        database_ = std::move(*loaded);
        co_await consider_all();
      }
    } catch (const scan::Stopped&) {
      co_return;
    } catch (const std::exception& error) {
      // The one from before, where there is one, is better than none.
      if (database_problem_ != error.what()) core::log::error("vulnerability database: {}", error.what());
      database_problem_ = error.what();
    }
    bell_.ring();
    co_await io::sleep_for(source_->pause());
  }
}

// Images that were there before their repository was scanned continuously.
io::Awaitable<void> Scans::enlist_continuous() {
  std::vector<std::string> missing;
  std::string after;
  for (bool more = true; more;) {
    auto image = repositories_.images().lower_bound(after);
    const auto end = repositories_.images().end();
    for (int i = 0; i < kRowsAPiece && image != end; ++i, ++image) {
      const auto& key = image->first;
      if (scans_.find(key) || !is_scannable(image->second.value)) continue;
      if (plan(repository_of_key(key)).continuous()) missing.push_back(key);
    }
    more = image != end;
    if (more) after = image->first;
    co_await boost::asio::post(executors_.control(), boost::asio::use_awaitable);
  }
  for (std::size_t from = 0; from < missing.size(); from += kRowsATransaction) {
    const auto to = std::min(missing.size(), from + kRowsATransaction);
    co_await store::transact(store_, [&](store::Txn& tx) {
      for (auto i = from; i < to; ++i) {
        const auto image = tx.get(repositories_.images(), missing[i]);
        if (image) enlist(tx, repository_of_key(missing[i]), digest_of_key(missing[i]), *image);
      }
    });
  }
}

io::Awaitable<void> Scans::forget_files(std::string report, image::Digest manifest, bool inventory_too) {
  auto* files = &files_;
  co_await io::offload(executors_, [files, report, manifest, inventory_too] {
    files->forget_report(report);
    if (inventory_too) files->forget_inventory(manifest);
  });
}

}  // namespace sampan::ecr
