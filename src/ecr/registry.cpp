#include "ecr/registry.h"

#include <fmt/core.h>

#include "core/log.h"
#include "ecr/peer_sender.h"
#include "ecr/registry_error.h"
#include "image/json_fields.h"

namespace sampan::ecr {
namespace {

// OCI knows 405 for what may not be deleted, and no 409.
RegistryError held_by_index(const std::string& message) {
  RegistryError error(405, "UNSUPPORTED", message);
  error.header("Allow", "GET, HEAD, PUT");
  return error;
}

RegistryError to_error(const Refusal& refusal) {
  using Why = Refusal::Why;
  switch (refusal.why()) {
    case Why::kNoRepository:
      return {404, "NAME_UNKNOWN", refusal.what()};
    case Why::kTagImmutable:
      return {400, "TAG_INVALID", refusal.what()};
    case Why::kBlobsMissing:
      return {400, "MANIFEST_BLOB_UNKNOWN", refusal.what(), refusal.subjects()};
    case Why::kImagesMissing:
      return {400, "MANIFEST_BLOB_UNKNOWN", refusal.what(), refusal.subjects()};
    case Why::kNoImage:
      return {404, "MANIFEST_UNKNOWN", refusal.what()};
    case Why::kHeldByIndex:
      return held_by_index(refusal.what());
    case Why::kTooManyTags:
    case Why::kOverQuota:
      return {403, "DENIED", refusal.what()};
    default:
      return {409, "DENIED", refusal.what()};
  }
}

RegistryError method_not_allowed(Route::Kind kind) {
  RegistryError error(405, "UNSUPPORTED", "The operation is unsupported.");
  error.header("Allow", std::string(allowed_methods(kind)));
  return error;
}

// "<name>@<digest>" of a download URL opens that blob to GET and HEAD, and nothing else.
void check_visit(const Visitor& visitor, const Route& route, const http::Request& request) {
  if (visitor.only_blob.empty()) return;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool named =
      route.kind == Route::Kind::kBlob && visitor.only_blob == route.repository + '@' + route.reference;
  if (!reads || !named) throw RegistryError(403, "DENIED", "The download URL is for another blob");
}

}  // namespace

std::string Registry::Exchange::param(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

image::Digest Registry::Exchange::digest() const {
  if (auto digest = image::Digest::parse(route.reference)) return *digest;
  throw RegistryError(
      400, "DIGEST_INVALID",
      fmt::format("'{}' is no digest: sha256 and sha512 are known", route.reference.substr(0, 200)));
}

bool Registry::Exchange::begins_push() const {
  return (route.kind == Route::Kind::kUploads && is("POST")) ||
         (route.kind == Route::Kind::kManifest && is("PUT"));
}

bool Registry::Exchange::replicates() const {
  return request.headers.find(kReplicationHeader).has_value();
}

Registry::Registry(io::Executors& executors, image::ContentStore& content, Repositories& repositories,
                   Uploads& uploads, const Login& login)
    : executors_(executors),
      content_(content),
      repositories_(repositories),
      uploads_(uploads),
      login_(login) {}

io::Awaitable<http::Response> Registry::handle(http::Request& request, http::BodyReader& body) {
  std::optional<http::Response> answer;
  try {
    answer = co_await dispatch(request, body);
  } catch (const RegistryError& error) {
    answer = error.render();
  } catch (const Refusal& refusal) {
    answer = to_error(refusal).render();
  } catch (const image::BadDocument& bad) {
    answer = RegistryError(400, "MANIFEST_INVALID", bad.what()).render();
  } catch (const image::DigestMismatch& mismatch) {
    answer = RegistryError(400, "DIGEST_INVALID", mismatch.what()).render();
  } catch (const http::BodyTooLarge&) {
    answer = RegistryError(413, "SIZE_INVALID", "The content is larger than the registry takes").render();
  } catch (const http::BodyError& error) {
    answer = RegistryError(400, "BLOB_UPLOAD_INVALID", error.what()).render();
  } catch (const core::Error& error) {
    core::log::error("{} {}: {}", request.method, request.raw_path(), error.what());
    answer = RegistryError(500, "UNKNOWN", error.what()).render();
  }
  answer->headers.set("Docker-Distribution-Api-Version", "registry/2.0");
  co_return std::move(*answer);
}

io::Awaitable<http::Response> Registry::dispatch(http::Request& request, http::BodyReader& body) {
  if (request.method == "POST" && request.raw_path() == "/v2/token") co_await take_form(request, body);
  const auto visitor = login_.admit(request);
  auto parsed = parse_route(request.raw_path());
  if (!parsed) throw RegistryError(404, "NAME_UNKNOWN", "The registry has nothing under this path");
  check_visit(visitor, *parsed, request);
  RepositoryId repository{visitor.account, visitor.region, parsed->repository};
  Exchange exchange{
      request, body, std::move(*parsed), std::move(repository), http::parse_query(request.raw_query()),
      visitor};
  co_return co_await route(exchange);
}

io::Awaitable<http::Response> Registry::route(Exchange& exchange) {
  const bool get = exchange.is("GET") || exchange.is("HEAD");
  const auto kind = exchange.route.kind;
  if (!is_allowed(kind, exchange.request.method)) throw method_not_allowed(kind);
  if (kind == Route::Kind::kBase) {
    co_return http::Response::text(200, "{}", "application/json; charset=utf-8");
  }
  if (kind == Route::Kind::kToken) {
    co_return co_await give_token(exchange);
  }
  if (kind == Route::Kind::kCatalog) {
    authorize(exchange);
    co_return co_await list_repositories(exchange);
  }
  if (!valid_repository_name(exchange.repository.name)) {
    throw RegistryError(
        400, "NAME_INVALID",
        fmt::format("'{}' is no name for a repository", exchange.repository.name.substr(0, 300)));
  }
  authorize(exchange);
  if (kind == Route::Kind::kManifest && get) {
    if (auto answer = get_cached_manifest(exchange)) co_return std::move(*answer);
  }
  if (auto upstream = co_await pull_through(exchange)) co_return std::move(*upstream);
  co_await require_repository(exchange);
  switch (kind) {
    case Route::Kind::kBlob:
      if (get) co_return co_await get_blob(exchange);
      if (exchange.is("DELETE")) co_return co_await delete_blob(exchange);
      break;
    case Route::Kind::kUploads:
      if (exchange.is("POST")) co_return co_await start_upload(exchange);
      break;
    case Route::Kind::kUpload:
      if (exchange.is("PATCH")) co_return co_await continue_upload(exchange);
      if (exchange.is("PUT")) co_return co_await finish_upload(exchange);
      if (get) co_return co_await upload_status(exchange);
      if (exchange.is("DELETE")) co_return co_await cancel_upload(exchange);
      break;
    case Route::Kind::kManifest:
      if (get) co_return co_await get_manifest(exchange);
      if (exchange.is("PUT")) co_return co_await put_manifest(exchange);
      if (exchange.is("DELETE")) co_return co_await delete_manifest(exchange);
      break;
    case Route::Kind::kTags:
      if (get) co_return co_await list_tags(exchange);
      break;
    case Route::Kind::kReferrers:
      if (get) co_return co_await list_referrers(exchange);
      break;
    default:
      break;
  }
  throw method_not_allowed(kind);
}

// Why the visitor may not do that there; nothing when it may.
std::optional<std::string> Registry::refusal(const Exchange& exchange, const RepositoryId& repository,
                                             std::string_view action) const {
  const auto& visitor = exchange.visitor;
  // A download URL was given to one who might; without a caller (open mode) there is nobody to ask about.
  if (!access_ || !visitor.caller || !visitor.only_blob.empty()) return std::nullopt;
  const auto& request = exchange.request;
  return access_->refusal(*visitor.caller, repository, action,
                          {request.remote_address, repository.region, request.tls, login_.now()});
}

void Registry::authorize(const Exchange& exchange) const {
  const auto& held = exchange.visitor.scopes;
  if (held && !covers(*held, scopes_needed(exchange.route, exchange.request.method))) {
    throw insufficient_scope(exchange.request);
  }
  const auto* caller = exchange.visitor.caller.get();
  if (!access_ || !caller || Access::is_free(*caller, exchange.repository.account)) return;
  auto repository = exchange.repository;
  for (const auto& needed : actions_of(exchange.route, exchange.request.method, exchange.query)) {
    repository.name = needed.repository;
    if (const auto why = refusal(exchange, repository, needed.action))
      throw RegistryError(403, "DENIED", *why);
  }
}

io::Awaitable<void> Registry::require_repository(const Exchange& exchange) {
  auto* repositories = &repositories_;
  const auto* wanted = &exchange.repository;
  if (!templates_ || !exchange.begins_push()) {
    co_await io::on_control(executors_, [repositories, wanted] { repositories->get(*wanted); });
    co_return;
  }
  auto work = exchange.replicates() ? templates_->make_for(*wanted, Cause::kReplication)
                                    : templates_->require_for_push(*wanted);
  co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
}

}  // namespace sampan::ecr
