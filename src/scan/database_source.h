// The operator's vulnerability database (--vulnerability-db), looked at again and again.
//
// A directory is looked through every few seconds (less often where that takes long); a URL is asked hourly,
// its answers are kept in <data-dir>/scans/database/ and outlive a restart and a server that is away. Knows
// nobody who scans. One refresh() at a time.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/clock.h"
#include "io/executors.h"
#include "scan/database.h"
#include "scan/low_priority.h"

namespace sampan::scan {

struct LoadedDatabase {
  std::shared_ptr<const Database> database;
  std::string signature;  // another one when the content may be another
  core::TimePoint updated_at{};
};

class DatabaseSource {
 public:
  // `location`: a directory, a file, or a URL. `home`: for downloads; `scratch`: for files without a name.
  DatabaseSource(io::Executors& executors, LowPriorityPool& pool, std::string location,
                 std::filesystem::path home, std::filesystem::path scratch);

  const std::string& location() const { return location_; }
  bool is_url() const;
  // The database, when it is another than that of `known` (empty: none). Throws core::Error that says why it
  // cannot be had; Stopped.
  io::Awaitable<std::optional<LoadedDatabase>> refresh(std::string known, std::stop_token stop);
  // How long to wait before the next look.
  std::chrono::milliseconds pause() const { return pause_; }

 private:
  io::Awaitable<void> fetch_all();

  io::Executors& executors_;
  LowPriorityPool& pool_;
  std::string location_;
  std::filesystem::path home_;
  std::filesystem::path scratch_;
  std::chrono::milliseconds pause_{2000};
};

}  // namespace sampan::scan
