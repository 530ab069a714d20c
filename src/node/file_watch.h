// Tells when files grow (inotify), so that nobody polls them. All calls and callbacks on one strand.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "io/executors.h"

namespace sampan::node {

class FileWatch {
 public:
  explicit FileWatch(const io::Strand& strand);
  ~FileWatch();
  // Calls `changed` (which must not throw) some time after each change, several changes together, until
  // drop(). False when the file is not there or the kernel takes no more watches: the caller polls.
  bool add(const std::filesystem::path& file, std::function<void()> changed);
  void drop(const std::filesystem::path& file);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the read under way
};

}  // namespace sampan::node
