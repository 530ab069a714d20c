// Where the lines of containers become log events. Streams that the agent asks for are made; the offset in
// the container's own log file goes into the same record as its lines, so that a kill between the append and
// the agent's note of it neither loses nor doubles a line.
#pragma once

#include "core/clock.h"
#include "io/executors.h"
#include "logs/archive.h"
#include "logs/catalog.h"
#include "node/log_sink.h"

namespace sampan::logs {

// Calls on the control strand. All must outlive it and its calls.
class ContainerSink final : public node::LogSink {
 public:
  ContainerSink(io::Executors& executors, Catalog& catalog, Archive& archive, const core::Clock& clock)
      : executors_(executors), catalog_(catalog), archive_(archive), clock_(clock) {}

  io::Awaitable<void> open(const node::LogStream& stream, bool create_group) override;
  // This and append() throw core::Error when the stream was deleted: open() makes it again.
  io::Awaitable<std::uint64_t> resume_offset(const node::LogStream& stream) override;
  io::Awaitable<void> append(const node::LogStream& stream, std::vector<node::LogLine> lines,
                             std::uint64_t source_end) override;

 private:
  StreamId find(const node::LogStream& stream) const;

  io::Executors& executors_;
  Catalog& catalog_;
  Archive& archive_;
  const core::Clock& clock_;
};

}  // namespace sampan::logs
