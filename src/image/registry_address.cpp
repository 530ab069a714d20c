#include "image/registry_address.h"

#include <algorithm>

#include "core/text.h"

namespace sampan::image {
namespace {

constexpr std::size_t kLongestHost = 253 + 6;

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_label_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool valid_name(std::string_view name) {
  if (name.empty()) return false;
  if (name.front() == '[') {
    return name.size() > 2 && name.back() == ']' &&
           name.substr(1, name.size() - 2).find_first_not_of("0123456789abcdef:.") == std::string_view::npos;
  }
  const auto labels = core::split(name, '.');
  return std::all_of(labels.begin(), labels.end(), [](const std::string& label) {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(), is_label_character);
  });
}

// Takes "https://" or "http://" off the front.
std::optional<bool> take_scheme(std::string_view& text) {
  for (const bool tls : {true, false}) {
    const std::string_view prefix = tls ? "https://" : "http://";
    if (!core::equal_ignoring_case(text.substr(0, prefix.size()), prefix)) continue;
    text.remove_prefix(prefix.size());
    return tls;
  }
  return std::nullopt;
}

bool is_four(std::string_view name) {
  return name.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

bool names_this_machine(std::string_view host) {
  const auto name = core::to_lower(without_port(host));
  return name == "localhost" || name == "[::1]" || (name.starts_with("127.") && is_four(name)) ||
         name.ends_with(".localhost");
}

std::optional<RegistryAddress> RegistryAddress::parse(std::string_view text) {
  const auto scheme = take_scheme(text);
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.size() > kLongestHost) return std::nullopt;
  RegistryAddress address;
  address.host = core::to_lower(text);
  const std::string name(without_port(address.host));
  if (!valid_name(name)) return std::nullopt;
  address.tls = scheme.value_or(!names_this_machine(name));
  const auto rest = std::string_view(address.host).substr(name.size());
  if (!rest.empty()) {
    const auto digits = rest.substr(1);
    const auto port = digits.find_first_not_of("0123456789") == std::string_view::npos
                          ? core::parse_int(digits)
                          : std::nullopt;
    if (rest.front() != ':' || !port || *port < 1 || *port > 65535) return std::nullopt;
    const bool usual = *port == (address.tls ? 443 : 80);
    address.host = usual ? name : name + ':' + std::to_string(*port);
  }
  if (address.host == "docker.io" || address.host == "index.docker.io") address.host = "registry-1.docker.io";
  return address;
}

std::string RegistryAddress::name() const {
  auto name = std::string(without_port(host));
  if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
  return name;
}

}  // namespace sampan::image
