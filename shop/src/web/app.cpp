#include "web/app.h"

#include <Poco/JSON/Object.h>

#include <algorithm>
#include <sstream>

#include "core/log.h"
#include "db/migrations.h"
#include "web/csrf.h"
#include "web/texts.h"

namespace shop::web {
namespace {

int status_of(core::Refusal::Kind kind) {
  switch (kind) {
    case core::Refusal::Kind::kNotFound:
      return 404;
    case core::Refusal::Kind::kConflict:
      return 409;
    case core::Refusal::Kind::kForbidden:
      return 403;
    case core::Refusal::Kind::kTooMany:
      return 429;
    case core::Refusal::Kind::kInvalid:
      break;
  }
  return 400;
}

Response plain(int status, std::string text) {
  Response response;
  response.status = status;
  response.type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  response.header("Cache-Control", "no-store");
  return response;
}

bool is_api(const Request& request) {
  return request.path.starts_with("/api/");
}

// Files and probes have none; a webhook proves itself by its signature.
bool has_session(const Request& request) {
  for (const char* prefix : {"/tinh/", "/anh/", "/webhooks/", "/healthz", "/readyz", "/metrics"}) {
    if (request.path.starts_with(prefix)) return false;
  }
  return true;
}

bool needs_cookie(const Response& response) {
  const bool has_one = std::any_of(response.headers.begin(), response.headers.end(),
                                   [](const auto& header) { return header.first == "Set-Cookie"; });
  return !has_one && response.type.starts_with("text/html");
}

Response api_error(const Request& request, int status, std::string_view code, std::string_view message) {
  Poco::JSON::Object error(Poco::JSON_PRESERVE_KEY_ORDER);
  error.set("code", std::string(code));
  error.set("message", std::string(message));
  error.set("request_id", request.id);
  Poco::JSON::Object body;
  body.set("error", error);
  std::ostringstream out;
  body.stringify(out);
  return json(status, out.str());
}

}  // namespace

App::App(db::Database& database, const core::Clock& clock)
    : database_(database), snapshots_(database, clock), sessions_(database, clock) {
  pages_.add_to(router_);
  api_.add_to(router_);
  router_.on("GET", "/api/v1/session", [this](const Request& request) { return session(request); });
  router_.on("GET", "/tinh/{name}", [this](const Request& request) { return assets_.file(request); });
  router_.on("GET", "/anh/{name}", [this](const Request& request) { return assets_.drawing(request); });
  router_.on("GET", "/healthz", [this](const Request&) { return health(); });
  router_.on("GET", "/readyz", [this](const Request&) { return ready(); });
  router_.on("GET", "/metrics", [this](const Request&) { return metrics(); });
}

Response App::handle(Request request) {
  Response response;
  try {
    recognise(request);
    response = router_.run(request);
    if (request.session.fresh && needs_cookie(response)) set_cookie(response, request, request.session);
  } catch (const core::Refusal& refusal) {
    response = refuse(request, refusal);
  } catch (const db::Unavailable& error) {
    core::log::error("database unavailable", {{"request", request.id}, {"error", error.what()}});
    response = fail(request, 503, "unavailable");
  } catch (const std::exception& error) {
    core::log::error("request failed",
                     {{"request", request.id}, {"path", request.path}, {"error", error.what()}});
    response = fail(request, 500, "internal_error");
  }
  count(response.status);
  return response;
}

// Nothing is done for a form before it is known to be one of the visitor's own.
void App::recognise(Request& request) {
  if (!has_session(request)) return;
  request.session = sessions_.of(request);
  if (!changes_something(request)) return;
  check_csrf(request);
  sessions_.keep(request.session);
}

Response App::session(const Request& request) {
  Poco::JSON::Object body(Poco::JSON_PRESERVE_KEY_ORDER);
  body.set("csrf", request.session.csrf());
  body.set("signed_in", request.session.customer.has_value());
  std::ostringstream out;
  body.stringify(out);
  auto response = json(200, out.str());
  response.header("Cache-Control", "no-store");
  if (request.session.fresh) set_cookie(response, request, request.session);
  return response;
}

void App::count(int status) {
  const auto kind = static_cast<std::size_t>(status / 100);
  if (kind < 6) ++answers_[kind];
}

Response App::refuse(const Request& request, const core::Refusal& refusal) {
  const auto status = status_of(refusal.kind());
  const std::string message(text(refusal.code(), request.language));
  if (is_api(request)) return api_error(request, status, refusal.code(), message);
  const auto* title = status == 404   ? "not_found_title"
                      : status == 403 ? "forbidden_title"
                                      : "bad_request_title";
  return error_page(request, status, text(title, request.language), message);
}

Response App::fail(const Request& request, int status, const char* code) {
  const auto message = std::string(text(code, request.language)) + ' ' + request.id;
  if (is_api(request)) return api_error(request, status, code, message);
  return error_page(request, status, text("error_title", request.language), message);
}

// The frame needs the database too: when that is what fails, the words alone.
Response App::error_page(const Request& request, int status, std::string_view title,
                         const std::string& message) {
  try {
    Data data;
    data.set("title", std::string(title));
    data.set("message", message);
    return view_.page(request, *snapshots_.current(), "error", std::move(data), status);
  } catch (const std::exception&) {
    return plain(status, std::string(title) + "\n" + message + "\n");
  }
}

Response App::health() {
  return plain(200, "ok\n");
}

Response App::ready() {
  try {
    if (db::is_migrated(database_)) return plain(200, "ready\n");
    return plain(503, "the database is not migrated: run shop migrate\n");
  } catch (const std::exception& error) {
    core::log::warn("not ready", {{"error", error.what()}});
    return plain(503, "the database cannot be reached\n");
  }
}

Response App::metrics() const {
  std::string text =
      "# HELP shop_http_responses_total Answers by the first digit of their status.\n# TYPE "
      "shop_http_responses_total counter\n";
  for (int kind = 1; kind < 6; ++kind) {
    text += "shop_http_responses_total{status=\"" + std::to_string(kind) + "xx\"} " +
            std::to_string(answers_[kind].load()) + "\n";
  }
  auto response = plain(200, std::move(text));
  response.type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

}  // namespace shop::web
