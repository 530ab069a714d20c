// The logs part as the daemon builds it: the API, the sink for containers, and the retention that removes
// what has expired.
#pragma once

#include <filesystem>

#include "core/clock.h"
#include "core/random.h"
#include "io/executors.h"
#include "logs/archive.h"
#include "logs/catalog.h"
#include "logs/container_sink.h"
#include "logs/logs_api.h"
#include "store/store.h"

namespace sampan::logs {

// Made and destroyed as the store is. Files lie under <data_dir>/logs.
class Logs {
 public:
  Logs(io::Executors& executors, store::Store& store, core::IdSource& ids, const core::Clock& clock,
       const std::filesystem::path& data_dir);

  LogsApi& api() { return api_; }
  ContainerSink& sink() { return sink_; }

  // On the control strand, before the first request: ends deletions that a kill broke off.
  io::Awaitable<void> recover();
  // On the control strand, for ever: sweep() each hour.
  io::Awaitable<void> keep_retention();
  // Removes the files all of whose events have expired. (What has expired in others is not shown either.)
  io::Awaitable<void> sweep();

 private:
  io::Executors& executors_;
  const core::Clock& clock_;
  Catalog catalog_;
  Archive archive_;
  LogsApi api_;
  ContainerSink sink_;
};

}  // namespace sampan::logs
