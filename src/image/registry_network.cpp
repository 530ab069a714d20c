#include "image/registry_network.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace sampan::image {
namespace {

constexpr const char* where_is(Reach reach) {
  switch (reach) {
    case Reach::kThisMachine:
      return "this machine itself";
    case Reach::kLinkLocal:
      return "a link-local address";
    default:
      return "a private network";
  }
}

}  // namespace

RegistryNetwork::RegistryNetwork(Options options)
    : options_(std::move(options)), connections_({.ca_file = options_.ca_file}) {
  for (auto& host : options_.insecure_hosts) {
    const auto address = RegistryAddress::parse("http://" + host);
    if (!address) throw core::Error("read --insecure-upstream " + host, "it takes HOST or HOST:PORT");
    host = address->host;
  }
}
RegistryNetwork::RegistryNetwork() : RegistryNetwork(Options()) {}

bool RegistryNetwork::is_insecure(std::string_view host) const {
  const auto wanted = RegistryAddress::parse("http://" + std::string(host));
  if (!wanted) return false;
  const auto& named = options_.insecure_hosts;
  return std::any_of(named.begin(), named.end(),
                     [&](const std::string& one) { return one == wanted->host || one == wanted->name(); });
}

bool RegistryNetwork::may_speak_plainly(std::string_view host) const {
  return names_this_machine(host) || is_insecure(host);
}

http::ReachRule RegistryNetwork::rule_for(const RegistryAddress& home) const {
  // Where the registry itself was found; shared by the calls of one client, on any thread.
  auto nearest = std::make_shared<std::atomic<Reach>>(Reach::kPublic);
  return [this, home, nearest](const http::Url& url, std::string_view address) -> std::optional<std::string> {
    const auto host = core::to_lower(url.host_header());
    if (is_insecure(host)) return std::nullopt;
    const bool plain = url.scheme != http::Url::Scheme::kHttps;
    const auto reach = reach_of(address);
    if (plain && !names_this_machine(host)) {
      return fmt::format(
          "{} is to be spoken to in the clear (http://); --insecure-upstream {} would allow it", host, host);
    }
    const bool at_home = host == home.host;
    if (reach == Reach::kLinkLocal || (!at_home && reach > nearest->load())) {
      return fmt::format("{} is at {}, {}, where registry {} must not send us", host, address,
                         where_is(reach), home.host);
    }
    if (at_home && reach > nearest->load()) nearest->store(reach);
    return std::nullopt;
  };
}

}  // namespace sampan::image
