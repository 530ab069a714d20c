#include "node/warm_namespaces.h"

#include <mutex>

#include "core/log.h"

namespace sampan::node {

struct WarmNamespaces::State {
  std::mutex mutex;
  std::vector<Namespaces> ready;
  std::size_t making = 0;
  std::size_t size = 0;
  bool closed = false;
  IdChooser next_ids;

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

Namespaces WarmNamespaces::take() {
  std::optional<Namespaces> warm;
  {
    std::scoped_lock lock(state_->mutex);
    if (!state_->ready.empty()) {
      warm = std::move(state_->ready.back());
      state_->ready.pop_back();
    }
  }
  fill();
  if (warm) return std::move(*warm);
  return make_namespaces(state_->next_ids());
}

void WarmNamespaces::fill() {
  std::scoped_lock lock(state_->mutex);
  while (state_->ready.size() + state_->making < state_->size) {
    ++state_->making;
    io::asio::post(executors_.blocking(), [state = state_] { state->make_one(); });
  }
}

}  // namespace sampan::node
