#include "scan/database_source.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "scan/database_files.h"
#include "scan/download.h"

namespace sampan::scan {
namespace {

using namespace std::chrono_literals;

constexpr auto kShortestPause = 2s;
constexpr auto kLongestPause = 5min;
constexpr auto kUrlPause = 1h;
constexpr auto kUrlRetry = 1min;
constexpr int kPauseByCost = 50;  // at most 2 % of a thread goes into looking

struct Outcome {
  FilesState state;
  std::optional<LoadResult> loaded;
  std::chrono::milliseconds looked{0};
};

Outcome look_and_load(const std::filesystem::path& root, const std::filesystem::path& scratch,
                      const std::string& known, std::stop_token stop) {
  const auto begin = std::chrono::steady_clock::now();
  Outcome outcome;
  outcome.state = look_at_files(root);
  outcome.looked =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  if (outcome.state.signature != known) outcome.loaded = load_files(root, scratch, std::move(stop));
  return outcome;
}

}  // namespace

DatabaseSource::DatabaseSource(io::Executors& executors, LowPriorityPool& pool, std::string location,
                               std::filesystem::path home, std::filesystem::path scratch)
    : executors_(executors),
      pool_(pool),
      location_(std::move(location)),
      home_(std::move(home)),
      scratch_(std::move(scratch)) {}

bool DatabaseSource::is_url() const {
  return location_.starts_with("http://") || location_.starts_with("https://");
}

io::Awaitable<void> DatabaseSource::fetch_all() {
  std::size_t present = 0;
  for (const auto& item : plan_downloads(location_)) {
    const auto fetched = co_await download(executors_, item.url, home_ / item.file);
    if (fetched != Fetched::kAbsent) ++present;
    if (fetched == Fetched::kAbsent && !item.optional)
      throw core::Error("fetch " + item.url, "the server has no such file");
  }
  if (present == 0) throw core::Error("fetch " + location_, "it has none of the ecosystems' all.zip");
}

io::Awaitable<std::optional<LoadedDatabase>> DatabaseSource::refresh(std::string known,
                                                                     std::stop_token stop) {
  if (is_url()) {
    pause_ = kUrlRetry;
    std::string problem;
    try {
      // Not here: whoever asks may be on a strand that must not wait for a decryption.
      co_await boost::asio::co_spawn(executors_.net(), fetch_all(), boost::asio::use_awaitable);
      pause_ = kUrlPause;
    } catch (const core::Error& error) {
      problem = error.what();
    }
    std::error_code ignored;
    const bool have =
        std::filesystem::is_directory(home_, ignored) && !std::filesystem::is_empty(home_, ignored);
    if (!problem.empty() && !have) throw core::Error(problem);
    if (!problem.empty()) core::log::warn("{}; the copy from before is used", problem);
  }
  const std::filesystem::path root = is_url() ? home_ : std::filesystem::path(location_);
  const auto scratch = scratch_;
  auto outcome =
      co_await pool_.run([root, scratch, known, stop] { return look_and_load(root, scratch, known, stop); });
  if (!is_url())
    pause_ =
        std::clamp<std::chrono::milliseconds>(outcome.looked * kPauseByCost, kShortestPause, kLongestPause);
  if (!outcome.loaded) co_return std::nullopt;
  const auto& loaded = *outcome.loaded;
  if (loaded.unreadable > 0) {
    core::log::warn("{} records of the vulnerability database were left out, the first: {}",
                    loaded.unreadable, loaded.first_problem);
  }
  core::log::info("vulnerability database {}: {} records of {} packages, {} MiB", location_,
                  loaded.database->records(), loaded.database->packages(), loaded.database->memory() >> 20);
  co_return LoadedDatabase{loaded.database, outcome.state.signature,
                           core::TimePoint(core::Millis(outcome.state.newest))};
}

}  // namespace sampan::scan
