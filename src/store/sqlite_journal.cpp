#include "store/sqlite_journal.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/log.h"

namespace sampan::store {
namespace {

constexpr std::int64_t kApplicationId = 0x53616d70;  // "Samp"

// Bounds how long one commit may hold the disk, and how much is redone after a failure.
constexpr std::size_t kBatchRecords = 4096;

std::filesystem::path lock_path(const std::filesystem::path& path) {
  io::make_directories(path.parent_path());
  return path.string() + ".lock";
}

}  // namespace

SqliteJournal::SqliteJournal(const std::filesystem::path& path)
    : path_(path), lock_(lock_path(path)), database_(path) {
  database_.run("PRAGMA locking_mode=EXCLUSIVE");
  const auto mode = database_.text("PRAGMA journal_mode=WAL");
  if (mode != "wal") throw core::Error(fmt::format("open {}", path.string()), "this file system has no WAL");
  database_.run(
      "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;"
      "PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY");
  set_up();
  statements_.emplace(Statements{
      database_.prepare("INSERT INTO kv VALUES(?1,?2,?3,?4,?5) ON CONFLICT(key) DO UPDATE SET "
                        "value=?2, created=?3, modified=?4, lease=?5"),
      database_.prepare("DELETE FROM kv WHERE key=?1"),
      database_.prepare("INSERT OR REPLACE INTO lease VALUES(?1,?2)"),
      database_.prepare("DELETE FROM lease WHERE id=?1"),
      database_.prepare("INSERT OR REPLACE INTO meta VALUES(?1,?2)"),
  });
}

SqliteJournal::~SqliteJournal() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  if (writer_.joinable()) writer_.join();
}

void SqliteJournal::set_up() {
  const auto refuse = [&](const std::string& why) {
    throw core::Error(fmt::format("open {}", path_.string()), why);
  };
  const auto id = database_.number("PRAGMA application_id");
  const auto schema = database_.number("PRAGMA user_version");
  const bool fresh = database_.number("SELECT count(*) FROM sqlite_schema") == 0;
  if (!fresh && id != kApplicationId) refuse("it is an SQLite file of some other program");
  if (schema > kSqliteSchema) {
    refuse(fmt::format("it was written by a newer version (schema {}; this one knows {}): run that version",
                       schema, kSqliteSchema));
  }
  if (!fresh) return;
  database_.run(
      fmt::format("BEGIN IMMEDIATE;"
                  "CREATE TABLE kv(key BLOB PRIMARY KEY, value BLOB NOT NULL, created INTEGER NOT NULL,"
                  " modified INTEGER NOT NULL, lease INTEGER NOT NULL) WITHOUT ROWID;"
                  "CREATE TABLE lease(id INTEGER PRIMARY KEY, ttl INTEGER NOT NULL);"
                  "CREATE TABLE meta(name BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;"
                  "PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                  kApplicationId, kSqliteSchema));
}

Contents SqliteJournal::load() {
  Contents contents;
  load_rows(contents);
  auto leases = database_.prepare("SELECT id, ttl FROM lease ORDER BY id");
  while (leases.step()) {
    contents.leases.emplace_back(leases.number(0), std::chrono::milliseconds(leases.number(1)));
  }
  contents.keyspace.set_loaded_revision(
      database_.number("SELECT number FROM meta WHERE name=x'7265766973696f6e'"));
  contents.last_lease = database_.number("SELECT number FROM meta WHERE name=x'6c65617365'");
  return contents;
}

void SqliteJournal::load_rows(Contents& contents) {
  auto rows = database_.prepare("SELECT key, value, created, modified, lease FROM kv ORDER BY key");
  while (rows.step()) {
    Entry entry{std::string(rows.blob(1)), rows.number(2), rows.number(3), rows.number(4)};
    if (!contents.keyspace.append_loaded(std::string(rows.blob(0)), std::move(entry))) {
      throw core::Error(
          fmt::format("read {}", path_.string()),
          "the file is damaged (rows out of order): move it away and put a backup in its place");
    }
  }
}

void SqliteJournal::start(Teller tell) {
  tell_ = std::move(tell);
  writer_ = std::thread([this] { write_until_stopped(); });
}

void SqliteJournal::append(std::uint64_t ticket, std::shared_ptr<const Record> record) {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (failed_) return;
    wake = queue_.empty();
    queue_.push_back({ticket, std::move(record)});
  }
  if (wake) work_.notify_one();
}

void SqliteJournal::resume() {
  std::lock_guard lock(mutex_);
  failed_ = false;
}

void SqliteJournal::write_until_stopped() {
  for (;;) {
    std::vector<Queued> batch;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      if (queue_.size() <= kBatchRecords) {
        batch.swap(queue_);
      } else {
        auto end = queue_.begin() + kBatchRecords;
        batch.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
        queue_.erase(queue_.begin(), end);
      }
    }
    try {
      write_batch(batch);
    } catch (const std::exception& error) {
      database_.roll_back();
      {
        std::lock_guard lock(mutex_);
        failed_ = true;
        queue_.clear();
      }
      tell_({batch.front().ticket - 1, error.what()});
      continue;
    }
    tell_({batch.back().ticket, {}});
  }
}

void SqliteJournal::write_batch(const std::vector<Queued>& batch) {
  database_.run("BEGIN IMMEDIATE");
  LeaseId last_lease = 0;
  for (const auto& queued : batch) write_record(*queued.record, last_lease);
  statements_->put_meta.bind_blob(1, "revision").bind(2, batch.back().record->revision).run();
  if (last_lease != 0) statements_->put_meta.bind_blob(1, "lease").bind(2, last_lease).run();
  database_.run("COMMIT");
}

void SqliteJournal::write_record(const Record& record, LeaseId& last_lease) {
  for (const auto& effect : record.effects) {
    if (!effect.after) {
      statements_->delete_row.bind_blob(1, effect.key).run();
      continue;
    }
    const Entry& entry = *effect.after;
    statements_->put_row.bind_blob(1, effect.key)
        .bind_blob(2, entry.value)
        .bind(3, entry.created)
        .bind(4, entry.modified)
        .bind(5, entry.lease)
        .run();
  }
  for (const auto& lease : record.leases) {
    if (lease.after) {
      statements_->put_lease.bind(1, lease.id).bind(2, lease.after->count()).run();
      if (!lease.before) last_lease = std::max(last_lease, lease.id);
    } else {
      statements_->delete_lease.bind(1, lease.id).run();
    }
  }
}

}  // namespace sampan::store
