// Nothing that changes something is done for a page of somebody else's: every POST (PUT, PATCH, DELETE)
// carries the token of its session, in the form's field "csrf" ({{csrf}} in every template) or in the header
// X-CSRF-Token. The application checks this before any handler runs; only what is under /webhooks/ proves
// itself otherwise.
#pragma once

#include "web/http.h"

namespace shop::web {

bool changes_something(const Request& request);
// Throws core::Refusal (forbidden, "bad_csrf").
void check_csrf(const Request& request);

}  // namespace shop::web
