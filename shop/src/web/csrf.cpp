#include "web/csrf.h"

#include "core/error.h"
#include "core/secrets.h"

namespace shop::web {

bool changes_something(const Request& request) {
  return request.method != "GET" && request.method != "OPTIONS";
}

void check_csrf(const Request& request) {
  auto given = request.header("x-csrf-token");
  if (given.empty()) given = request.field("csrf");
  const bool other_site = request.header("sec-fetch-site") == "cross-site";
  if (other_site || request.session.fresh || !core::same_secret(given, request.session.csrf()))
    throw core::Refusal(core::Refusal::Kind::kForbidden, "bad_csrf");
}

}  // namespace shop::web
