// The URLs a client takes. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sampan::http {

struct Url {
  enum class Scheme { kHttp, kHttps, kUnix };
  Scheme scheme = Scheme::kHttp;
  std::string host;  // without brackets; of a Unix socket: its path
  std::uint16_t port = 0;
  std::string target = "/";  // path and query as written; a fragment is left out

  std::string host_header() const;  // "localhost" for a Unix socket
  std::string origin() const;       // "https://host:port": where credentials may go
  std::string printable() const;    // without the query, which may hold a signature
};

// http://host[:port]/target, https://…, or unix:///path.sock:/target. Throws core::Error.
Url parse_url(std::string_view text);
// Where a Location of `base` leads. Throws core::Error for anything but http and https.
Url resolve_location(const Url& base, std::string_view location);

}  // namespace sampan::http
