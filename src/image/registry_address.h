// Where another registry is: a scheme, a host and a port, as people and rules write them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sampan::image {

struct RegistryAddress {
  bool tls = true;
  std::string host;  // lower case; with its port unless that is the scheme's own: "quay.io", "localhost:5000"

  // "quay.io", "https://Mirror.example:443/", "http://localhost:5000", "docker.io" (which is
  // registry-1.docker.io). Without a scheme: HTTP for this machine's own names, HTTPS for all others. Nothing
  // when there is a path, a user, a query, or no host.
  static std::optional<RegistryAddress> parse(std::string_view text);
  std::string base_url() const { return (tls ? "https://" : "http://") + host; }
  std::string name() const;  // the host without the port and without brackets
  bool operator==(const RegistryAddress&) const = default;
};

// localhost, *.localhost, 127.0.0.0/8 and ::1; a port may follow.
bool names_this_machine(std::string_view host);

}  // namespace sampan::image
