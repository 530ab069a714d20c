#include "http/url.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace sampan::http {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw core::Error(
      fmt::format("read the URL {}", text.substr(0, std::min<std::size_t>(text.find('?'), 200))), why);
}

// What would end the request's line, or make two of one target.
bool is_clean(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

Url parse_unix(std::string_view text, std::string_view rest) {
  Url url;
  url.scheme = Url::Scheme::kUnix;
  const std::size_t split = rest.find(":/");
  url.host = rest.substr(0, split);
  if (split != std::string_view::npos) url.target = rest.substr(split + 1);
  if (url.host.empty() || url.host[0] != '/') refuse(text, "the socket's path is not absolute");
  return url;
}

void parse_port(Url& url, std::string_view text, std::string_view digits) {
  const auto port = core::parse_int(digits);
  if (!port || *port < 1 || *port > 65535) refuse(text, "the port is not a number from 1 to 65535");
  url.port = static_cast<std::uint16_t>(*port);
}

void parse_authority(Url& url, std::string_view text, std::string_view authority) {
  if (authority.find('@') != std::string_view::npos)
    refuse(text, "it holds a user: send Authorization instead");
  std::size_t host_end = 0;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) refuse(text, "'[' without ']'");
    url.host = authority.substr(1, bracket - 1);
    host_end = bracket + 1;
  } else {
    host_end = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, host_end);
  }
  if (url.host.empty()) refuse(text, "it names no host");
  const std::string_view rest = authority.substr(host_end);
  if (rest.empty()) return;
  if (rest[0] != ':') refuse(text, "there is something between host and port");
  parse_port(url, text, rest.substr(1));
}

Url parse_network(std::string_view text, Url::Scheme scheme, std::string_view rest) {
  Url url;
  url.scheme = scheme;
  url.port = scheme == Url::Scheme::kHttps ? 443 : 80;
  rest = rest.substr(0, rest.find('#'));
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  parse_authority(url, text, rest.substr(0, path));
  url.target = rest.substr(path);
  if (url.target.empty() || url.target[0] != '/') url.target.insert(0, "/");
  return url;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!core::equal_ignoring_case(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// RFC 3986, 5.2.4, for the paths that servers send as Location.
std::string without_dots(std::string_view path) {
  std::vector<std::string> kept;
  const auto segments = core::split(path, '/');
  for (std::size_t i = 1; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    if (segments[i] == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segments[i] != ".") {
      kept.push_back(segments[i]);
      continue;
    }
    if (last) kept.emplace_back();
  }
  return "/" + core::join(kept, "/");
}

}  // namespace

std::string Url::host_header() const {
  if (scheme == Scheme::kUnix) return "localhost";
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const bool usual = port == (scheme == Scheme::kHttps ? 443 : 80);
  return usual ? name : fmt::format("{}:{}", name, port);
}

std::string Url::origin() const {
  if (scheme == Scheme::kUnix) return "unix://" + host;
  return fmt::format("{}://{}:{}", scheme == Scheme::kHttps ? "https" : "http", core::to_lower(host), port);
}

std::string Url::printable() const {
  const std::string path = target.substr(0, target.find('?'));
  if (scheme == Scheme::kUnix) return fmt::format("unix://{}:{}", host, path);
  return fmt::format("{}://{}{}", scheme == Scheme::kHttps ? "https" : "http", host_header(), path);
}

Url parse_url(std::string_view text) {
  if (!is_clean(text)) refuse(text, "it holds a blank or a control character");
  std::string_view rest = text;
  if (take_prefix(rest, "unix://")) return parse_unix(text, rest);
  if (take_prefix(rest, "https://")) return parse_network(text, Url::Scheme::kHttps, rest);
  if (take_prefix(rest, "http://")) return parse_network(text, Url::Scheme::kHttp, rest);
  refuse(text, "it begins with neither http://, https:// nor unix://");
}

Url resolve_location(const Url& base, std::string_view location) {
  if (!is_clean(location)) refuse(location, "it holds a blank or a control character");
  const std::string_view scheme = base.scheme == Url::Scheme::kHttps ? "https:" : "http:";
  if (location.starts_with("//")) return parse_url(std::string(scheme).append(location));
  const std::size_t colon = location.find(':');
  const bool absolute = colon != std::string_view::npos && colon < location.find_first_of("/?#");
  if (absolute) {
    const Url url = parse_url(location);
    // A server must not send us to a socket of this machine.
    if (url.scheme == Url::Scheme::kUnix) refuse(location, "a redirect to a Unix socket");
    return url;
  }
  Url url = base;
  location = location.substr(0, location.find('#'));
  const std::string base_path = base.target.substr(0, base.target.find('?'));
  const std::size_t query = std::min(location.find('?'), location.size());
  std::string path(location.substr(0, query));
  if (path.empty()) {
    path = base_path;
  } else if (path[0] != '/') {
    path = base_path.substr(0, base_path.rfind('/') + 1) + path;
  }
  url.target = without_dots(path).append(location.substr(query));
  return url;
}

}  // namespace sampan::http
