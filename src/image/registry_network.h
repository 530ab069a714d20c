// How this Sampan speaks to other registries: whom it trusts, where it goes, and the connections it keeps.
// One a process; what the operator said about upstreams is here. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "http/client.h"
#include "image/reach.h"
#include "image/registry_address.h"

namespace sampan::image {

class RegistryNetwork {
 public:
  struct Options {
    std::string ca_file;                      // --upstream-ca: authorities beside the system's
    std::vector<std::string> insecure_hosts;  // --insecure-upstream: HOST or HOST:PORT
    std::string name;  // of this Sampan, in Via: whoever meets it again does not ask on
  };
  // Throws core::Error when the authorities cannot be read or a host is none.
  explicit RegistryNetwork(Options options);
  RegistryNetwork();

  http::Connections& connections() { return connections_; }
  const std::string& name() const { return options_.name; }
  // The operator named it: HTTP, and any address.
  bool is_insecure(std::string_view host) const;
  bool may_speak_plainly(std::string_view host) const;  // this machine's own, or named

  // What a registry at `home` may have us speak to. Its own host may be anywhere but on a link-local address;
  // what it redirects to or names for its login must not be nearer to us than it is itself, and not in the
  // clear: a registry on the Internet cannot send us to this machine, to a cloud's metadata or into a private
  // network.
  http::ReachRule rule_for(const RegistryAddress& home) const;

 private:
  Options options_;
  http::Connections connections_;
};

}  // namespace sampan::image
