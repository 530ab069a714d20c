// A Network that only keeps a list, for tests of what stands above it.
#pragma once

#include <mutex>
#include <set>

#include "core/error.h"
#include "node/network.h"

namespace sampan::node {

class FakeNetwork final : public Network {
 public:
  std::vector<std::string> recover(const std::vector<KnownSandbox>& known) override {
    std::scoped_lock lock(mutex_);
    std::vector<std::string> standing;
    std::set<std::string> kept;
    for (const auto& one : known) {
      if (attached_.contains(one.request.task_id)) standing.push_back(one.request.task_id);
    }
    kept.insert(standing.begin(), standing.end());
    attached_ = kept;
    return standing;
  }
  Sandbox attach(const NetworkRequest& request) override {
    std::scoped_lock lock(mutex_);
    if (failing_) throw core::Error("attach", "the network is out of order");
    attached_.insert(request.task_id);
    Sandbox sandbox;
    sandbox.address = request.network.address;
    return sandbox;
  }
  void detach(const std::string& task_id) override {
    std::scoped_lock lock(mutex_);
    attached_.erase(task_id);
  }
  io::UniqueFd open_endpoint(const std::string&) override { return {}; }
  void secure(const SecurityRules&) override {}
  void maintain() override {}

  // From the test.
  void fail(bool failing) {
    std::scoped_lock lock(mutex_);
    failing_ = failing;
  }
  std::set<std::string> attached() const {
    std::scoped_lock lock(mutex_);
    return attached_;
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> attached_;
  bool failing_ = false;
};

}  // namespace sampan::node
