// The end of a task: what it holds is released, then its end is told.
#include "core/log.h"
#include "node/driver.h"

namespace sampan::node {
namespace {

constexpr std::chrono::milliseconds kLogPatience{5000};

// Each on the pool, all at once; a failure is logged and the rest goes on.
io::Awaitable<void> attempt(io::Executors& executors, std::string task, std::function<void()> work) {
  std::string failure;
  try {
    co_await io::offload(executors, std::move(work));
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (!failure.empty()) core::log::warn("task {}: {}", task, failure);
}

}  // namespace

io::Awaitable<void> Driver::release() {
  auto self = shared_from_this();
  const auto& id = intent_.assignment.task_id;
  for (std::size_t i = 0; i < work_.size(); ++i) {
    co_await attempt(parts_.executors, id, [self, i] { self->parts_.launcher.clear(self->intent_, i); });
  }
  co_await attempt(parts_.executors, id, [self] { self->parts_.launcher.release(self->intent_); });
}

io::Awaitable<void> Driver::finish() {
  auto self = shared_from_this();
  co_await release();
  // A line printed before the end is in the log when the end is told, unless the sink is in trouble.
  auto deadline = std::chrono::steady_clock::now() + kLogPatience;
  while (!logs_done() && std::chrono::steady_clock::now() < deadline) {
    co_await io::sleep_for(std::chrono::milliseconds(5));
  }
  settle(intent_, record_, parts_.clock.now());
  record_.phase = TaskPhase::kStopped;
  record_.stopped_at = parts_.clock.now();
  order_times(intent_, record_);
  co_await keep_and_report();
  co_await attempt(parts_.executors, intent_.assignment.task_id,
                   [self] { self->parts_.launcher.discard_files(self->intent_); });
  at_rest_ = true;
}

}  // namespace sampan::node
