// The journal in one SQLite file (WAL, synchronous=FULL), written by a thread of its own with group commit:
// all records that came while the last fsync ran go down in one SQLite transaction, all or none.
//
//   kv(key, value, created, modified, lease)   one row a key
//   lease(id, ttl)                             ttl in milliseconds
//   meta(name, number)                         'revision' and 'lease': the last ones given out
//
// The file is ours alone: a lock beside it keeps a second process out, and SQLite's exclusive mode keeps the
// WAL's index on the heap, where a full disk cannot turn a write into SIGBUS.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "io/file.h"
#include "store/journal.h"
#include "store/sqlite.h"

namespace sampan::store {

inline constexpr std::int64_t kSqliteSchema = 1;

class SqliteJournal final : public Journal {
 public:
  // Opens or makes the file. Blocking. Throws core::Error: in use by another process, written by a newer
  // version, damaged, not ours.
  explicit SqliteJournal(const std::filesystem::path& path);
  // Writes what waits, then closes.
  ~SqliteJournal() override;

  Contents load() override;
  void start(Teller tell) override;
  void append(std::uint64_t ticket, std::shared_ptr<const Record> record) override;
  void resume() override;

 private:
  struct Queued {
    std::uint64_t ticket = 0;
    std::shared_ptr<const Record> record;
  };
  struct Statements {
    Statement put_row;
    Statement delete_row;
    Statement put_lease;
    Statement delete_lease;
    Statement put_meta;
  };

  void set_up();
  void load_rows(Contents& contents);
  void write_until_stopped();
  void write_batch(const std::vector<Queued>& batch);
  void write_record(const Record& record, LeaseId& last_lease);

  std::filesystem::path path_;
  io::FileLock lock_;
  Database database_;
  std::optional<Statements> statements_;
  Teller tell_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::vector<Queued> queue_;  // guarded by mutex_
  bool failed_ = false;        // guarded by mutex_: drop records until resume()
  bool stopping_ = false;      // guarded by mutex_
  std::thread writer_;
};

}  // namespace sampan::store
