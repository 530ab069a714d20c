// The seam between the API and what forwards requests: Edge (HAProxy) in the daemon, a fake in the API's
// tests. All on the control strand.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "elb/targets.h"

namespace sampan::elb {

class DataPlane {
 public:
  virtual ~DataPlane() = default;
  // Makes the data plane what the rows say now. Ports that could not be listened on, with what is in the way.
  // Throws core::Error when nothing could be changed; what ran before goes on.
  virtual boost::asio::awaitable<std::map<int, std::string>> apply() = 0;
  // Before a listener is stored: what stands in the way of its port, if we do not hold it already.
  virtual boost::asio::awaitable<std::optional<std::string>> port_trouble(int port) = 0;
  // False when some other program held the port when we last tried.
  virtual bool listens(int port) const = 0;
  virtual TargetHealth health(const std::string& group_arn, const std::string& address, int port) const = 0;
  // Told after a target's health changed.
  virtual void on_change(std::function<void(const Target&)> listener) = 0;
};

}  // namespace sampan::elb
