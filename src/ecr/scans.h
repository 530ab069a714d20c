// Scanning of images: which are to be scanned, by whom that was asked, and what came of it.
//
// A scan that is to be done is a row (scan_rows.h), written in the transaction that pushes the image or takes
// StartImageScan; a few workers on threads of their own, of low priority, do what the rows say and write the
// outcome. They can be killed at any point: a row stays `wanted` until its outcome is stored, and doing it
// again gives the same. An image's packages are read from its layers once and kept; when the database
// changes, images that are scanned continuously are matched anew with what was kept.
//
// On the control strand. Knows nothing of the API's shapes.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "core/clock.h"
#include "ecr/repositories.h"
#include "ecr/scan_files.h"
#include "ecr/scan_rows.h"
#include "ecr/scan_rules.h"
#include "io/executors.h"
#include "scan/database_source.h"
#include "scan/low_priority.h"
#include "store/table.h"

namespace sampan::ecr {

// How the API shows a row.
struct ScanView {
  std::string status;
  std::string description;
  bool has_findings = false;
};

class Scans {
 public:
  // `database`: a directory, file or URL; empty: there is none.
  Scans(store::Store& store, io::Executors& executors, Repositories& repositories,
        image::ContentStore& content, core::Clock& clock, const std::filesystem::path& data_dir,
        std::string database);
  ~Scans();

  // Goes on with what an earlier life left, and looks at the database. Returns when the work has begun.
  void start();
  // Gives up what is being done; it is done again after the next start.
  void stop();

  ScanRulesRow rules(const std::string& account, const std::string& region) const;
  io::Awaitable<void> set_rules(std::string account, std::string region, ScanRulesRow row);
  ScanPlan plan(const RepositoryId& id) const;

  // What a scan can be of: an image, neither an index nor an artifact.
  static bool is_scannable(const ImageRow& row);
  enum class Start { kStarted, kTooSoon, kContinuous, kNoImage };
  // The image's scan by hand; durable when it returns.
  io::Awaitable<Start> start_scan(RepositoryId id, image::Digest digest);

  const ScanRow* find(const RepositoryId& id, const image::Digest& digest) const;
  ScanView view(const RepositoryId& id, const ScanRow& row) const;
  // What the last complete scan found. Throws core::Error when the file is not there.
  io::Awaitable<std::shared_ptr<const scan::Report>> report(RepositoryId id, image::Digest digest);
  // The image's packages: kept, or read from its layers now.
  io::Awaitable<scan::Inventory> inventory(image::Digest manifest);

 private:
  struct Result {
    ScanRow::Outcome outcome = ScanRow::Outcome::kFailed;
    std::string problem;
    std::map<std::string, int> counts;
  };
  void enlist(store::Txn& tx, const RepositoryId& id, const image::Digest& digest, const ImageRow& row);
  bool is_wanted(const std::string& key, const ScanRow& row) const;
  void consider(const std::string& key);
  io::Awaitable<void> consider_all();
  void note_change(const std::string& key, const ScanRow* before, const ScanRow* after);
  std::optional<std::string> next();

  io::Awaitable<void> sweep_then_work();
  io::Awaitable<void> work();
  io::Awaitable<void> scan(std::string key);
  io::Awaitable<Result> examine(std::string key, std::string report,
                                std::shared_ptr<const scan::Database> database);
  io::Awaitable<void> store_result(std::string key, ScanRow before, Result result, std::string database,
                                   core::TimePoint source);
  io::Awaitable<void> watch_database();
  io::Awaitable<void> enlist_continuous();
  io::Awaitable<void> forget_files(std::string report, image::Digest manifest, bool inventory_too);

  store::Store& store_;
  io::Executors& executors_;
  Repositories& repositories_;
  image::ContentStore& content_;
  core::Clock& clock_;
  ScanFiles files_;
  store::Table<ScanRulesRow> rules_;
  store::Table<ScanRow> scans_;

  // What waits for a worker: keys, each once. Made from the rows; losing it loses nothing.
  std::deque<std::string> queue_;
  std::set<std::string> queued_;
  std::set<std::string> busy_;
  std::unordered_map<std::string, int> manifests_;  // how many rows speak of each
  io::Bell bell_;

  std::stop_source stop_;
  scan::LowPriorityPool pool_;
  std::optional<scan::DatabaseSource> source_;
  scan::LoadedDatabase database_;
  std::string database_problem_;  // why there is none though one is configured
  bool stopped_ = false;
};

}  // namespace sampan::ecr
