#include "http/client.h"

#include <fmt/core.h>

#include "core/error.h"
#include "http/exchange.h"

namespace sampan::http {
namespace {

constexpr std::size_t kRedirectBody = 64 * 1024;  // read to keep the connection; a longer one is not worth it

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

io::Awaitable<void> read_body(Exchange& exchange, ClientResponse& response, std::size_t limit) {
  while (true) {
    const auto piece = co_await exchange.next_piece();
    if (piece.empty()) co_return;
    if (response.body.size() + piece.size() > limit) {
      throw core::Error("read the response's body", fmt::format("it is larger than {} bytes", limit));
    }
    response.body.append(piece.data(), piece.size());
  }
}

io::Awaitable<void> hand_over_body(Exchange& exchange, const BodySink& sink) {
  while (true) {
    const auto piece = co_await exchange.next_piece();
    if (piece.empty()) co_return;
    exchange.pause();
    co_await sink(piece);
  }
}

bool follows(const ClientRequest& request, const ClientResponse& response) {
  return request.max_redirects > 0 && is_redirect(response.status) && response.headers.find("Location");
}

// RFC 9110, 15.4: what is asked of the new place.
Url redirect(ClientRequest& request, const Url& from, const ClientResponse& response) {
  Url to = resolve_location(from, response.headers.get("Location"));
  const bool was_post = request.method == "POST" && (response.status == 301 || response.status == 302);
  if (was_post || (response.status == 303 && request.method != "HEAD")) {
    request.method = "GET";
    request.body.clear();
    request.body_file.clear();
    request.headers.erase("Content-Type");
  }
  request.headers.erase("Host");
  if (to.origin() != from.origin()) {
    request.headers.erase("Authorization");
    request.headers.erase("Cookie");
  }
  return to;
}

// A redirect's own body, unless it is long: then the connection is not kept.
io::Awaitable<void> skip_body(Exchange& exchange) {
  std::size_t skipped = 0;
  while (skipped < kRedirectBody) {
    const auto piece = co_await exchange.next_piece();
    if (piece.empty()) co_return;
    skipped += piece.size();
  }
}

// Without a sink every body goes into the response.
io::Awaitable<void> take_body(Exchange& exchange, ClientResponse& response, const ClientRequest& request,
                              const BodySink* sink) {
  if (follows(request, response)) {
    if (request.connections) co_await skip_body(exchange);
  } else if (sink != nullptr && response.status / 100 == 2) {
    if (request.wants_body && !request.wants_body(response)) co_return;
    co_await hand_over_body(exchange, *sink);
  } else {
    co_await read_body(exchange, response, request.max_body);
  }
  exchange.keep();
}

io::Awaitable<ClientResponse> exchange_once(const ClientRequest& request, const Url& url,
                                            Exchange::Deadline deadline, const BodySink* sink) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Exchange exchange(request, url, executor, deadline);
  std::string failure;
  const auto tried = [&] { return fmt::format("{} {}", request.method, url.printable()); };
  try {
    ClientResponse response = co_await exchange.head();
    co_await take_body(exchange, response, request, sink);
    co_return response;
  } catch (const LastingError& error) {
    throw LastingError(tried(), error.what());
  } catch (const core::Error& error) {
    failure = error.what();
  }
  if (exchange.timed_out()) {
    const auto most =
        request.total_time.count() > 0 ? std::min(request.total_time, request.timeout) : request.timeout;
    failure = fmt::format("timed out after {:g}s", static_cast<double>(most.count()) / 1000.0);
  }
  throw core::Error(tried(), failure);
}

io::Awaitable<ClientResponse> follow(ClientRequest request, const BodySink* sink) {
  Url url = parse_url(request.url);
  const int allowed = request.max_redirects;
  const auto deadline = Exchange::deadline_of(request);
  for (int redirects = 0;; ++redirects) {
    ClientResponse response = co_await exchange_once(request, url, deadline, sink);
    if (!follows(request, response)) co_return response;
    if (redirects == allowed) {
      throw core::Error(fmt::format("{} {}", request.method, url.printable()),
                        fmt::format("more than {} redirects", allowed));
    }
    url = redirect(request, url, response);
  }
}

}  // namespace

boost::asio::awaitable<ClientResponse> fetch(ClientRequest request) {
  co_return co_await follow(std::move(request), nullptr);
}

boost::asio::awaitable<ClientResponse> fetch_to(ClientRequest request, BodySink sink) {
  co_return co_await follow(std::move(request), &sink);
}

}  // namespace sampan::http
