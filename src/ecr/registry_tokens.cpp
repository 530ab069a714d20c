// The registry's own tokens, as Docker's token protocol has them: credentials in, a token of the asked scope
// out.
#include <algorithm>
#include <boost/json.hpp>

#include "core/encoding.h"
#include "ecr/registry.h"
#include "ecr/registry_error.h"

namespace sampan::ecr {
namespace json = boost::json;
namespace {

constexpr std::size_t kLargestForm = 64 * 1024;
// Clients get themselves a new one when it is over; the owner's policies and key are asked at each request.
constexpr std::chrono::hours kScopedTokenLife{1};

}  // namespace

// OAuth2's way of asking, a form with grant_type password, or refresh_token with an authorization token of
// ECR, becomes the older way: the same credentials in the header, the same scopes in the query.
io::Awaitable<void> Registry::take_form(http::Request& request, http::BodyReader& body) const {
  const auto form = http::parse_query(co_await body.read_all(kLargestForm));
  const auto field = [&form](std::string_view wanted) {
    const auto found = std::ranges::find(form, wanted, [](const auto& pair) { return pair.first; });
    return found == form.end() ? std::string() : found->second;
  };
  const auto grant = field("grant_type");
  const bool refresh = grant == "refresh_token";
  if (!refresh && grant != "password") {
    throw RegistryError(400, "UNSUPPORTED", "The grant_type is neither password nor refresh_token");
  }
  const auto user = refresh ? std::string("AWS") : field("username");
  const auto password = field(refresh ? "refresh_token" : "password");
  request.headers.set("Authorization", "Basic " + core::to_base64(user + ':' + password));
  std::string query;
  for (const auto& [name, value] : form) {
    if (name == "scope") query += (query.empty() ? "?scope=" : "&scope=") + core::percent_encode(value);
  }
  request.target = std::string(request.raw_path()) + query;
}

// The scope only narrows: what the caller may do is asked at each request, whatever its token says.
io::Awaitable<http::Response> Registry::give_token(const Exchange& exchange) {
  const auto& visitor = exchange.visitor;
  if (!issuer_ || !visitor.caller) throw unauthorized(exchange.request);
  std::vector<Scope> scopes;
  for (const auto& [name, value] : exchange.query) {
    if (name != "scope") continue;
    for (auto& scope : parse_scopes(value)) {
      if (scopes.size() < kMostScopes) scopes.push_back(std::move(scope));
    }
  }
  // A token does not grow by being shown.
  if (visitor.scopes && !covers(*visitor.scopes, scopes)) throw insufficient_scope(exchange.request);
  const auto now = login_.now();
  // Nor does it live longer than what it was got with, or it could be renewed for ever.
  auto expires = now + kScopedTokenLife;
  if (visitor.expires) expires = std::min(expires, *visitor.expires);
  const auto life = std::chrono::duration_cast<std::chrono::seconds>(expires - now);
  TokenClaims claims{visitor.account, visitor.region, visitor.caller->access_key, {}, expires, scopes};
  auto work = issuer_->sign(std::move(claims));
  const auto token =
      co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  const json::object answer{{"token", token},
                            {"access_token", token},
                            {"scope", render_scopes(scopes)},
                            {"expires_in", life.count()},
                            {"issued_at", core::to_iso8601(now)}};
  auto response = http::Response::text(200, json::serialize(answer), "application/json; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  co_return response;
}

}  // namespace sampan::ecr
