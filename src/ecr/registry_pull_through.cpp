// The registry's side of the pull-through cache: what is asked of it first before a pull is answered from the
// repository, and how its failures are told.
#include <fmt/core.h>

#include "core/text.h"
#include "ecr/pull_through.h"
#include "ecr/registry.h"
#include "ecr/registry_error.h"

namespace sampan::ecr {
namespace {

RegistryError to_error(const UpstreamError& error, bool repository_is_here) {
  using Why = UpstreamError::Why;
  switch (error.why()) {
    case Why::kAbsent:
      return {404, repository_is_here ? "MANIFEST_UNKNOWN" : "NAME_UNKNOWN", error.what()};
    case Why::kDenied:
      return {403, "DENIED", error.what()};
    case Why::kTooManyRequests: {
      RegistryError told(429, "TOOMANYREQUESTS", error.what());
      if (error.wait()) told.header("Retry-After", std::to_string(error.wait()->count()));
      return told;
    }
    default:
      return {503, "UNAVAILABLE", error.what()};
  }
}

// RFC 9111, 5.2.1.4: the client wants what the origin has now.
bool wants_now(const http::Request& request) {
  return core::to_lower(request.headers.get("Cache-Control")).find("no-cache") != std::string::npos;
}

}  // namespace

io::Awaitable<std::optional<http::Response>> Registry::pull_through(Exchange& exchange) {
  const bool manifest = exchange.route.kind == Route::Kind::kManifest;
  const bool blob = exchange.route.kind == Route::Kind::kBlob;
  const bool get = exchange.is("GET");
  std::optional<http::Response> response;
  if (!pull_through_ || !pull_through_->has_rules() || (!manifest && !blob) || (!get && !exchange.is("HEAD")))
    co_return response;
  // Our own question, come back through other registries.
  const auto via = exchange.request.headers.get("Via");
  if (via.find("sampan-" + pull_through_->name()) != std::string_view::npos) co_return response;
  std::optional<UpstreamError> failed;
  try {
    if (manifest)
      response = co_await upstream_manifest(exchange);
    else
      response = co_await upstream_blob(exchange);
  } catch (const UpstreamError& error) {
    failed = error;
  }
  if (!failed) co_return response;
  auto* repositories = &repositories_;
  const auto* id = &exchange.repository;
  const bool here =
      co_await io::on_control(executors_, [repositories, id] { return repositories->find(*id) != nullptr; });
  throw to_error(*failed, here);
}

io::Awaitable<std::optional<http::Response>> Registry::upstream_manifest(Exchange& exchange) {
  const auto part = exchange.is("GET") ? PullThrough::Part::kWhole : PullThrough::Part::kHead;
  const auto age = wants_now(exchange.request) ? PullThrough::Age::kNow : PullThrough::Age::kAsConfigured;
  auto work = pull_through_->manifest(exchange.repository, exchange.route.reference, part, age);
  const auto answer =
      co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  if (!answer) co_return std::nullopt;
  http::Response response;
  response.headers.set("Content-Type", answer->media_type);
  response.headers.set("Docker-Content-Digest", answer->digest.str());
  response.headers.set("ETag", '"' + answer->digest.str() + '"');
  if (exchange.is("GET"))
    response.body = *answer->bytes;
  else
    response.head_length = answer->size;
  co_return response;
}

// A HEAD fetches nothing: it tells of a blob that an image on its way names.
io::Awaitable<std::optional<http::Response>> Registry::upstream_blob(Exchange& exchange) {
  const auto digest = image::Digest::parse(exchange.route.reference);
  if (!digest) co_return std::nullopt;
  if (exchange.is("GET")) {
    auto work = pull_through_->blob(exchange.repository, *digest);
    co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
    co_return std::nullopt;
  }
  auto* engine = pull_through_;
  const auto* id = &exchange.repository;
  const auto size = co_await io::on_control(
      executors_, [engine, id, &digest] { return engine->awaited_blob(*id, *digest); });
  if (!size) co_return std::nullopt;
  http::Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  response.headers.set("Docker-Content-Digest", digest->str());
  response.head_length = *size;
  co_return response;
}

}  // namespace sampan::ecr
