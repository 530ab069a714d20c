#include "logs/logs.h"

#include "core/log.h"
#include "logs/put_rules.h"

namespace sampan::logs {
namespace {

constexpr auto kSweepEach = std::chrono::hours(1);

struct Expiry {
  StreamId stream;
  Millis before;
};

void drop_expired(Archive& archive, const std::vector<Expiry>& all) {
  for (const auto& [stream, before] : all) {
    try {
      archive.stream(stream)->drop_before(before);
    } catch (const std::exception& error) {
      core::log::warn("retention of log stream {}/{}: {}", stream.group, stream.stream, error.what());
    }
  }
}

}  // namespace

Logs::Logs(io::Executors& executors, store::Store& store, core::IdSource& ids, const core::Clock& clock,
           const std::filesystem::path& data_dir)
    : executors_(executors),
      clock_(clock),
      catalog_(store, ids),
      archive_(data_dir / "logs"),
      api_(executors_, catalog_, archive_),
      sink_(executors_, catalog_, archive_, clock_) {}

io::Awaitable<void> Logs::recover() {
  auto streams = co_await catalog_.recover();
  co_await io::offload(executors_, [&archive = archive_, streams] { archive.keep_only(streams); });
}

io::Awaitable<void> Logs::keep_retention() {
  for (;;) {
    co_await sweep();
    co_await io::sleep_for(kSweepEach);
  }
}

io::Awaitable<void> Logs::sweep() {
  const Millis now = to_millis(clock_.now());
  std::vector<Expiry> expiries;
  for (const auto& group : catalog_.all_groups()) {
    if (!group.retention_days) continue;
    for (const auto* stream : catalog_.streams(group)) {
      expiries.push_back({{group.id, stream->id}, kept_from(now, group.retention_days)});
    }
  }
  co_await io::offload(executors_, [&archive = archive_, expiries] { drop_expired(archive, expiries); });
}

}  // namespace sampan::logs
