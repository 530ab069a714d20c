#include "web/server.h"

#include <Poco/DeflatingStream.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <Poco/URI.h>
#include <Poco/UUIDGenerator.h>

#include <atomic>
#include <chrono>
#include <sstream>
#include <thread>

#include "core/log.h"
#include "core/text.h"

namespace shop::web {
namespace {

namespace net = Poco::Net;

constexpr std::size_t kLargestForm = 64 * 1024;
constexpr std::size_t kLargestTarget = 4096;
constexpr std::size_t kWorthCompressing = 1024;

std::string lower(std::string text) {
  for (auto& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return text;
}

// A caller's own id is kept when it is one; else a new one.
std::string request_id(const net::HTTPServerRequest& request) {
  const auto given = request.get("X-Request-Id", "");
  const bool good = !given.empty() && given.size() <= 64 &&
                    given.find_first_not_of(
                        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") == given.npos;
  return good ? given : Poco::UUIDGenerator::defaultGenerator().createRandom().toString();
}

void split_language(Request& request) {
  if (request.path != "/en" && !request.path.starts_with("/en/")) return;
  request.language = core::Language::kEnglish;
  request.path = request.path.size() > 3 ? request.path.substr(3) : "/";
}

// Nothing when it is larger than the limit.
std::optional<std::string> read_body(net::HTTPServerRequest& request) {
  const auto length = request.getContentLength();
  if (length != net::HTTPMessage::UNKNOWN_CONTENT_LENGTH && static_cast<std::size_t>(length) > kLargestForm)
    return std::nullopt;
  std::string body(kLargestForm + 1, '\0');
  request.stream().read(body.data(), static_cast<std::streamsize>(body.size()));
  body.resize(static_cast<std::size_t>(request.stream().gcount()));
  if (body.size() > kLargestForm) return std::nullopt;
  return body;
}

std::string gzip(const std::string& body) {
  std::ostringstream packed;
  Poco::DeflatingOutputStream out(packed, Poco::DeflatingStreamBuf::STREAM_GZIP, 5);
  out << body;
  out.close();
  return packed.str();
}

bool compressible(const Response& response) {
  return response.body.size() >= kWorthCompressing &&
         (response.type.starts_with("text/") || response.type.starts_with("application/json") ||
          response.type == "image/svg+xml");
}

class PageHandler final : public net::HTTPRequestHandler {
 public:
  explicit PageHandler(App& app) : app_(app) {}

  void handleRequest(net::HTTPServerRequest& from, net::HTTPServerResponse& to) override {
    const auto started = std::chrono::steady_clock::now();
    Request request;
    request.id = request_id(from);
    auto response = answer(from, request);
    send(from, to, request, std::move(response));
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started)
            .count();
    core::log::info("request", {{"request", request.id},
                                {"method", from.getMethod()},
                                {"path", request.path},
                                {"status", std::to_string(static_cast<int>(to.getStatus()))},
                                {"us", std::to_string(took)}});
  }

 private:
  static Response refuse(int status, const char* words) {
    Response response;
    response.status = status;
    response.type = "text/plain; charset=utf-8";
    response.body = std::string(words) + "\n";
    return response;
  }

  Response answer(net::HTTPServerRequest& from, Request& request) {
    if (from.getURI().size() > kLargestTarget) return refuse(414, "The address is too long");
    try {
      const Poco::URI uri(from.getURI());
      request.path = uri.getPath();
      request.query = parse_form(uri.getRawQuery());
    } catch (const Poco::Exception&) {
      return refuse(400, "The address is not understood");
    }
    if (!core::valid_utf8(request.path)) return refuse(400, "The address is not UTF-8");
    for (const auto& [name, value] : request.query) {
      if (!core::valid_utf8(name) || !core::valid_utf8(value)) return refuse(400, "The address is not UTF-8");
    }
    request.method = from.getMethod() == "HEAD" ? "GET" : from.getMethod();
    for (const auto& [name, value] : from) request.headers[lower(name)] = value;
    request.cookies = parse_cookies(request.header("cookie"));
    split_language(request);
    auto body = read_body(from);
    if (!body) return refuse(413, "The request is too large");
    if (request.header("content-type").starts_with("application/x-www-form-urlencoded"))
      request.form = parse_form(*body);
    for (const auto& [name, value] : request.form) {
      if (!core::valid_utf8(name) || !core::valid_utf8(value)) return refuse(400, "The form is not UTF-8");
    }
    request.body = std::move(*body);
    return app_.handle(request);
  }

  static void send(const net::HTTPServerRequest& from, net::HTTPServerResponse& to, const Request& request,
                   Response response) {
    to.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(response.status));
    to.setContentType(response.type);
    to.set("X-Request-Id", request.id);
    to.set("X-Content-Type-Options", "nosniff");
    to.set("Referrer-Policy", "same-origin");
    to.set("X-Frame-Options", "DENY");
    to.set("Content-Security-Policy",
           "default-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri "
           "'none'; form-action 'self'");
    for (const auto& [name, value] : response.headers) to.add(name, value);
    if (compressible(response)) {
      to.set("Vary", "Accept-Encoding");
      if (request.header("accept-encoding").find("gzip") != std::string_view::npos) {
        response.body = gzip(response.body);
        to.set("Content-Encoding", "gzip");
      }
    }
    to.setContentLength64(static_cast<Poco::Int64>(response.body.size()));
    auto& out = to.send();
    if (from.getMethod() != "HEAD")
      out.write(response.body.data(), static_cast<std::streamsize>(response.body.size()));
  }

  App& app_;
};

class Factory final : public net::HTTPRequestHandlerFactory {
 public:
  explicit Factory(App& app) : app_(app) {}
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
    return new PageHandler(app_);
  }

 private:
  App& app_;
};

net::HTTPServerParams::Ptr params(const ServerOptions& options) {
  net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
  params->setMaxThreads(options.threads);
  params->setMaxQueued(512);
  params->setKeepAlive(true);
  params->setKeepAliveTimeout(Poco::Timespan(75, 0));  // longer than a load balancer's idle time
  params->setTimeout(Poco::Timespan(30, 0));
  params->setMaxKeepAliveRequests(0);
  params->setServerName("");
  return params;
}

}  // namespace

struct Server::Impl {
  Poco::ThreadPool threads;
  net::ServerSocket socket;
  net::HTTPServer server;

  Impl(App& app, const ServerOptions& options)
      : threads(2, options.threads + 2),
        socket(net::SocketAddress(options.address, options.port), 512),
        server(new Factory(app), threads, socket, params(options)) {}
};

Server::Server(App& app, const ServerOptions& options) : impl_(std::make_unique<Impl>(app, options)) {
  impl_->server.start();
}

Server::~Server() {
  stop(0);
}

std::uint16_t Server::port() const {
  return impl_->socket.address().port();
}

void Server::stop(int seconds) {
  impl_->server.stop();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (impl_->server.currentConnections() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  impl_->server.stopAll(true);
}

}  // namespace shop::web
