// What several calls of a client share: connections kept open between them, and the authorities they trust.
//
// Thread-safe. Outlives the calls that name it, and goes before the io_context whose sockets it keeps.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/url.h"

namespace sampan::http {

struct Line;   // an open connection: line.h
struct Trust;  // the certificate authorities: transport.h

// Why an address (in digits) must not be spoken to for this URL, or nothing. Asked of the very addresses that
// are connected to, so that a name cannot be looked up once for the check and once for the call.
using ReachRule = std::function<std::optional<std::string>(const Url& url, std::string_view address)>;

class Connections {
 public:
  struct Options {
    std::string ca_file;  // authorities (PEM) beside the system's; empty: none
    std::size_t most_idle = 32;
    std::chrono::seconds idle_time{30};  // servers close theirs after a minute or so
  };
  // Throws core::Error when the file holds no certificates.
  explicit Connections(Options options);
  Connections();
  ~Connections();

  // An open connection to the URL's origin that nobody uses, or nothing.
  std::unique_ptr<Line> take(const Url& url);
  void give(const Url& url, std::unique_ptr<Line> line);
  const Trust& trust() const { return *trust_; }
  std::size_t idle() const;

 private:
  struct Kept {
    std::string origin;
    std::unique_ptr<Line> line;
    std::chrono::steady_clock::time_point since;
  };

  Options options_;
  std::unique_ptr<Trust> trust_;
  mutable std::mutex mutex_;
  std::vector<Kept> kept_;  // oldest first
};

}  // namespace sampan::http
