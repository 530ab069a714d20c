// An HTTP/1.1 client: a coroutine a call, TLS with the system's roots (or SSL_CERT_FILE's). Each call has a
// connection of its own unless it names Connections that keep them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/error.h"
#include "http/connections.h"
#include "http/message.h"
#include "io/executors.h"

namespace sampan::http {

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://, or unix:///path.sock:/target
  Headers headers;
  std::string body;
  std::string body_file;  // a file whose content is the body instead; reading it blocks the caller's executor
  std::chrono::milliseconds timeout{30000};  // connect, and head; a body may take as long as bytes flow
  std::size_t max_body = 64 * 1024 * 1024;   // for fetch()
  std::chrono::milliseconds total_time{0};   // from the first connect to the last byte; 0: as above only
  Connections* connections = nullptr;        // outlives the call
  // fetch_to() alone: false for the head of a 2xx response leaves its body unread.
  std::function<bool(const ClientResponse& head)> wants_body;
  ReachRule may_reach;    // of each address, redirects' too; empty: all may be
  int max_redirects = 5;  // 0: a redirect is the response. Authorization is dropped when the host changes
};

// What another try will not mend: a certificate that is not trusted, an address that a ReachRule forbids.
class LastingError : public core::Error {
 public:
  using core::Error::Error;
};

// Called with each piece of a streamed body, in order.
using BodySink = std::function<boost::asio::awaitable<void>(std::span<const char>)>;

// Throws core::Error (or LastingError): what was tried, with whom, and why it failed. A status is never an
// exception.
boost::asio::awaitable<ClientResponse> fetch(ClientRequest request);
// As fetch, but hands a 2xx body to `sink`; the body of any other status is in the response.
boost::asio::awaitable<ClientResponse> fetch_to(ClientRequest request, BodySink sink);

}  // namespace sampan::http
