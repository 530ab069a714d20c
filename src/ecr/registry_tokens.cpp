// The registry's own tokens, as Docker's token protocol has them: credentials in, a token of the asked scope
// out.
#include <boost/json.hpp>

#include "ecr/registry.h"
#include "ecr/registry_error.h"

namespace sampan::ecr {
namespace json = boost::json;

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
  TokenClaims claims{visitor.account,  visitor.region, visitor.caller->access_key, {},
                     now + kTokenLife, scopes};
  auto work = issuer_->sign(std::move(claims));
  const auto token =
      co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  const json::object answer{
      {"token", token}, {"access_token", token}, {"expires_in", std::chrono::seconds(kTokenLife).count()}};
  auto response = http::Response::text(200, json::serialize(answer), "application/json; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  co_return response;
}

}  // namespace sampan::ecr
