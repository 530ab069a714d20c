#include "logs/container_sink.h"

#include <fmt/core.h>

#include "api/logs.h"
#include "core/error.h"
#include "logs/logs_api.h"

namespace sampan::logs {
namespace {

namespace model = api::logs;

// One record must stay below what a segment takes.
constexpr std::size_t kRecordBytes = 4 * 1024 * 1024;

core::Error gone(const char* what) {
  return core::Error(fmt::format("The specified log {} does not exist.", what));
}

}  // namespace

io::Awaitable<void> ContainerSink::open(const node::LogStream& given, bool create_group) {
  const node::LogStream stream = given;
  const Scope scope{stream.account, stream.region};
  const Millis now = to_millis(clock_.now());
  if (!catalog_.find_group(scope, stream.group)) {
    if (!create_group) throw gone("group");
    try {
      GroupRow group;
      group.name = stream.group;
      group.created = now;
      co_await catalog_.create_group(scope, std::move(group));
    } catch (const model::ResourceAlreadyExistsException&) {  // another container was faster
    }
  }
  const auto* group = catalog_.find_group(scope, stream.group);
  if (!group) throw gone("group");
  if (catalog_.find_stream(*group, stream.stream)) co_return;
  try {
    co_await catalog_.create_stream(scope, stream.group, stream.stream, now);
  } catch (const model::ResourceAlreadyExistsException&) {  // as above
  } catch (const model::ResourceNotFoundException&) {
    throw gone("group");
  }
}

StreamId ContainerSink::find(const node::LogStream& stream) const {
  const auto* group = catalog_.find_group({stream.account, stream.region}, stream.group);
  if (!group) throw gone("group");
  const auto* row = catalog_.find_stream(*group, stream.stream);
  if (!row) throw gone("stream");
  return {group->id, row->id};
}

io::Awaitable<std::uint64_t> ContainerSink::resume_offset(const node::LogStream& stream) {
  co_return co_await io::offload(
      executors_, [&archive = archive_, id = find(stream)] { return archive.stream(id)->source_end(); });
}

io::Awaitable<void> ContainerSink::append(const node::LogStream& stream, std::vector<node::LogLine> lines,
                                          std::uint64_t source_end) {
  const auto id = find(stream);
  const Millis now = to_millis(clock_.now());
  std::size_t bytes = 0;
  std::vector<NewEvent> events;
  for (auto& line : lines) {
    if (line.text.empty())
      continue;  // an event has at least one character; AWS's driver drops such lines too
    bytes += line.text.size();
    events.push_back({to_millis(line.time), std::move(line.text)});
  }
  if (bytes > kRecordBytes)
    throw core::Error(fmt::format("append {} bytes of {} at once", bytes, stream.stream));
  // Not flushed: the source still has the lines, and the offset that would skip them lies in the same record.
  const bool taken = co_await io::offload(
      executors_, [&archive = archive_, id, now, source_end, events = std::move(events)] {
        return archive.stream(id)->append(events, now, source_end, Flush::kToKernel);
      });
  if (!taken) throw gone("stream");
}

}  // namespace sampan::logs
