#include "node/warm_namespaces.h"

#include <mutex>

#include "core/log.h"

namespace sampan::node {
namespace {

constexpr std::chrono::milliseconds kQuiet{100};
constexpr int kMostRounds = 20;  // a steady trickle of tasks is served as well

}  // namespace

struct WarmNamespaces::State : std::enable_shared_from_this<State> {
  std::mutex mutex;
  std::vector<Namespaces> ready;
  std::size_t making = 0;
  std::size_t size = 0;
  std::uint64_t taken = 0;
  bool refill_due = false;
  bool closed = false;
  IdChooser next_ids;

  std::uint64_t taken_so_far() {
    std::scoped_lock lock(mutex);
    return taken;
  }
  void refill(io::asio::thread_pool& pool);

  void make_one() {
    std::optional<Namespaces> made;
    try {
      made = make_namespaces(next_ids());
    } catch (const std::exception& error) {
      core::log::warn("no namespace in advance: {}", error.what());
    }
    std::scoped_lock lock(mutex);
    --making;
    if (made && !closed) ready.push_back(std::move(*made));
  }
};

WarmNamespaces::WarmNamespaces(io::Executors& executors, std::size_t size, IdChooser next_ids)
    : state_(std::make_shared<State>()), executors_(executors) {
  state_->size = size;
  state_->next_ids = std::move(next_ids);
}

WarmNamespaces::~WarmNamespaces() {
  std::scoped_lock lock(state_->mutex);
  state_->closed = true;
  state_->ready.clear();
}

io::Awaitable<void> WarmNamespaces::refill_when_quiet(std::shared_ptr<State> state,
                                                      io::Executors& executors) {
  for (int round = 0; round < kMostRounds; ++round) {
    const auto before = state->taken_so_far();
    co_await io::sleep_for(kQuiet);
    if (state->taken_so_far() == before) break;
  }
  state->refill(executors.blocking());
}

Namespaces WarmNamespaces::take() {
  std::optional<Namespaces> warm;
  bool first = false;
  {
    std::scoped_lock lock(state_->mutex);
    ++state_->taken;
    first = state_->size > 0 && !std::exchange(state_->refill_due, true);
    if (!state_->ready.empty()) {
      warm = std::move(state_->ready.back());
      state_->ready.pop_back();
    }
  }
  if (first) {
    io::spawn_detached(executors_.control(), "namespaces in advance", refill_when_quiet(state_, executors_));
  }
  if (warm) return std::move(*warm);
  return make_namespaces(state_->next_ids());
}

void WarmNamespaces::fill() {
  state_->refill(executors_.blocking());
}

void WarmNamespaces::State::refill(io::asio::thread_pool& pool) {
  std::scoped_lock lock(mutex);
  refill_due = false;
  while (!closed && ready.size() + making < size) {
    ++making;
    io::asio::post(pool, [state = shared_from_this()] { state->make_one(); });
  }
}

}  // namespace sampan::node
