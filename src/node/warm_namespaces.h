// A few namespaces made in advance, so that a task's start does not wait for the kernel to make one. They
// are held by descriptors alone: when this process dies they are gone. Thread-safe; refills on the
// blocking pool.
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
  // A warm one, or a new one when none is left. Starts the refill.
  Namespaces take();
  void fill();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with refills under way
  io::Executors& executors_;
};

}  // namespace sampan::node
