#include "ecr/login.h"

#include <fmt/core.h>

#include "core/encoding.h"
#include "core/text.h"
#include "ecr/names.h"
#include "ecr/registry_error.h"

namespace sampan::ecr {
namespace {

std::optional<std::string_view> after_scheme(std::string_view authorization, std::string_view scheme) {
  if (authorization.size() <= scheme.size()) return std::nullopt;
  if (!core::equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
  if (authorization[scheme.size()] != ' ') return std::nullopt;
  return core::trim(authorization.substr(scheme.size()));
}

constexpr char kExpired[] = "Your authorization token has expired. Reauthenticate and try again.";

// How the client reached us, for it to reach us again. A proxy in front that ends TLS says so; only the
// client itself would be misled by a lie. What is in quotes must not end them.
std::string origin_of(const http::Request& request) {
  const bool tls =
      request.tls || core::equal_ignoring_case(request.headers.get("X-Forwarded-Proto"), "https");
  std::string origin(tls ? "https://" : "http://");
  for (const char c : request.headers.get("Host")) {
    origin += c == '"' || c == '\\' || static_cast<unsigned char>(c) <= ' ' ? '_' : c;
  }
  return origin;
}

std::string scope_of(const http::Request& request) {
  const auto route = parse_route(request.raw_path());
  return route ? render_scopes(scopes_needed(*route, request.method)) : std::string();
}

void challenge(RegistryError& error, const http::Request& request, std::string_view problem) {
  const auto origin = origin_of(request);
  constexpr std::string_view kService = "ecr.amazonaws.com";
  error.header("WWW-Authenticate", fmt::format("Basic realm=\"{}/\",service=\"{}\"", origin, kService));
  auto bearer = fmt::format("Bearer realm=\"{}/v2/token\",service=\"{}\"", origin, kService);
  // A name that no scope can hold is none of a repository.
  if (const auto scope = scope_of(request); !scope.empty() && scope.find_first_of("\"\\\r\n") == scope.npos) {
    bearer += fmt::format(",scope=\"{}\"", scope);
  }
  if (!problem.empty()) bearer += fmt::format(",error=\"{}\"", problem);
  error.header("WWW-Authenticate", bearer);
}

}  // namespace

RegistryError unauthorized(const http::Request& request) {
  RegistryError error(401, "UNAUTHORIZED", "no basic auth credentials");
  challenge(error, request, {});
  return error;
}

RegistryError insufficient_scope(const http::Request& request) {
  RegistryError error(401, "UNAUTHORIZED", "The token's scope does not cover this request");
  challenge(error, request, "insufficient_scope");
  return error;
}

Visitor Login::admit(const http::Request& request) const {
  const auto authorization = request.headers.get("Authorization");
  auto visitor = authorization.empty() ? by_url(request.raw_query()) : by_header(request);
  if (!visitor && open()) visitor = Visitor{home_.account, home_.region, {}};
  if (!visitor) throw unauthorized(request);
  if (const auto host = parse_ecr_host(request.headers.get("Host"))) {
    // Another account's registry: its policies decide, at each request.
    visitor->account = host->account;
    visitor->region = host->region;
  }
  return *visitor;
}

std::optional<Visitor> Login::by_header(const http::Request& request) const {
  const auto authorization = request.headers.get("Authorization");
  if (const auto encoded = after_scheme(authorization, "Basic")) return by_basic(*encoded);
  if (const auto token = after_scheme(authorization, "Bearer")) {
    ask_again_when_expired(request, *token);
    return by_token(*token);
  }
  return std::nullopt;
}

// Of a token that /v2/token gave: its client gets itself a new one when it is told 401, and a push that takes
// longer than a token goes on.
void Login::ask_again_when_expired(const http::Request& request, std::string_view token) const {
  const auto claims = tokens_.read(token);
  if (!claims || !claims->scopes || claims->expires > clock_.now()) return;
  RegistryError error(401, "UNAUTHORIZED", kExpired);
  challenge(error, request, "invalid_token");
  throw error;
}

std::optional<Visitor> Login::by_basic(std::string_view encoded) const {
  const auto text = core::from_base64(encoded);
  const auto colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  const auto user = text->substr(0, colon);
  const auto password = text->substr(colon + 1);
  if (user == "AWS") {
    if (auto visitor = by_token(password)) return visitor;
    if (!open()) return std::nullopt;
  }
  const auto key = keys_.lookup(user);
  if (!key) return std::nullopt;
  if (!open()) {
    // A temporary key is worth nothing without its session token, which basic auth has no place for.
    if (!key->session_token.empty() || (key->expires && *key->expires <= clock_.now())) return std::nullopt;
    if (!core::equal_in_constant_time(key->secret, password)) return std::nullopt;
  }
  return Visitor{key->account, home_.region, {}, key};
}

std::optional<Visitor> Login::by_token(std::string_view token) const {
  const auto claims = tokens_.read(token);
  if (!claims || !claims->blob.empty()) return std::nullopt;
  if (claims->expires <= clock_.now()) {
    throw RegistryError(403, "DENIED", kExpired);
  }
  // The key behind the token may be gone since.
  auto key = keys_.lookup(claims->access_key);
  if (!key) return std::nullopt;
  return Visitor{claims->account, claims->region, {}, std::move(key), claims->scopes, claims->expires};
}

std::optional<Visitor> Login::by_url(std::string_view query) const {
  for (const auto& [name, value] : http::parse_query(query)) {
    if (name != "X-Sampan-Token") continue;
    const auto claims = tokens_.read(value);
    if (!claims || claims->blob.empty()) return std::nullopt;
    if (claims->expires <= clock_.now()) throw RegistryError(403, "DENIED", "The download URL has expired");
    auto key = keys_.lookup(claims->access_key);
    if (!key) return std::nullopt;
    return Visitor{claims->account, claims->region, claims->blob, std::move(key)};
  }
  return std::nullopt;
}

}  // namespace sampan::ecr
