// A few namespaces made in advance, so that a task's start does not wait for the kernel to make one. They
// are held by descriptors alone: when this process dies they are gone. Thread-safe; refills on the
// blocking pool, once nobody has taken one for a moment: many tasks at once need the CPU themselves.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "io/executors.h"
#include "node/namespaces.h"

namespace sampan::node {

class WarmNamespaces {
 public:
  // `next_ids` gives each namespace its range; nothing: no user namespaces. Called on any thread.
  using IdChooser = std::function<std::optional<IdRange>()>;

  WarmNamespaces(io::Executors& executors, std::size_t size, IdChooser next_ids);
  ~WarmNamespaces();
  // A warm one, or a new one when none is left. The refill follows.
  Namespaces take();
  // At once.
  void fill();

 private:
  struct State;
  static io::Awaitable<void> refill_when_quiet(std::shared_ptr<State> state, io::Executors& executors);
  std::shared_ptr<State> state_;  // shared with refills under way
  io::Executors& executors_;
};

}  // namespace sampan::node
