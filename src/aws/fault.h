// A request's own fault, as AWS tells it: thrown by handlers where it is known, turned into the wire's shape
// in one place (the dispatcher). Generated exceptions (api::ecs::ClusterNotFoundException ...) derive from
// it.
#pragma once

#include <boost/json/object.hpp>
#include <stdexcept>
#include <string>

namespace sampan::aws {

class Fault : public std::runtime_error {
 public:
  Fault(std::string code, int http_status, const std::string& message)
      : std::runtime_error(message), code_(std::move(code)), http_status_(http_status) {}
  const std::string& code() const { return code_; }  // as on the wire: "ClusterNotFoundException"
  int http_status() const { return http_status_; }
  // Members of the modelled error beside its message (ConflictException.resourceIds).
  const boost::json::object& members() const { return members_; }
  void set_member(std::string_view name, boost::json::value value) { members_[name] = std::move(value); }

 private:
  std::string code_;
  int http_status_;
  boost::json::object members_;
};

}  // namespace sampan::aws
