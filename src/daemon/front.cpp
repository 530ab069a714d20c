#include "daemon/front.h"

#include <boost/json.hpp>

#include "core/metrics.h"
#include "core/version.h"

namespace sampan::daemon {
namespace {

namespace json = boost::json;

// "/v2" and "/v2/…", but not "/v2x".
bool under(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

http::Response refuse(int status, std::string_view code, std::string_view message) {
  json::object body{{"code", code}, {"message", message}};
  return http::Response::text(status, json::serialize(body) + "\n", "application/json");
}

}  // namespace

Front::Front(Routes routes, aws::Authenticator& authenticator, core::Clock& clock)
    : routes_(std::move(routes)), authenticator_(authenticator), clock_(clock) {}

io::Awaitable<http::Response> Front::handle(http::Request& request, http::BodyReader& body) {
  auto path = request.raw_path();
  if (under(path, "/v2")) co_return co_await routes_.registry(request, body);
  if (under(path, "/sampan/v1")) co_return co_await work(request, body);
  if (request.method == "GET" || request.method == "HEAD") {
    if (path == "/health") co_return health();
    if (path == "/metrics") {
      co_return http::Response::text(200, core::metrics::render(), "text/plain; version=0.0.4; charset=utf-8");
    }
  }
  co_return co_await routes_.aws->handle(request, body);
}

http::Response Front::health() const {
  json::object services;
  for (const auto& name : routes_.aws->services()) services[name] = "running";
  json::object body{{"status", "ok"}, {"version", core::kVersion}, {"services", services}};
  return http::Response::text(200, json::serialize(body) + "\n", "application/json");
}

// Bodies here are streams (a build's context), so their hash is not part of the signature (UNSIGNED-PAYLOAD).
io::Awaitable<http::Response> Front::work(http::Request& request, http::BodyReader& body) {
  aws::SignatureCheck check(authenticator_, keys_);
  aws::Caller caller;
  try {
    caller = check.admit(request, clock_.now());
    check.verify(request, {});
    check.require_service("sampan");
  } catch (const aws::AuthenticationError& error) {
    auto fault = aws::authentication_fault(aws::Protocol::kJson, error);
    co_return refuse(fault.http_status(), fault.code(), fault.what());
  }
  co_return co_await routes_.work(request, body, caller);
}

}  // namespace sampan::daemon
