#include "web/session.h"

#include "core/secrets.h"
#include "web/http.h"

namespace shop::web {
namespace {

constexpr std::chrono::hours kSeenAgain{1};  // how exact seen_at is

// A name that browsers accept from no other host and over no other scheme, where there is TLS.
const char* cookie_name(const Request& request) {
  return is_https(request) ? "__Host-session" : "session";
}

Session new_session() {
  return {core::random_token(), true, std::nullopt};
}

}  // namespace

std::string Session::key() const {
  return core::sha256(token);
}

std::string Session::csrf() const {
  return core::hmac_sha256(token, "csrf");
}

Session Sessions::of(const Request& request) {
  const auto cookie = request.cookies.find(cookie_name(request));
  if (cookie == request.cookies.end() || !core::is_token(cookie->second)) return new_session();
  Session session{cookie->second, false, std::nullopt};
  const auto now = clock_.now();
  const auto row = database_.query_one(
      "SELECT customer_id, seen_at FROM sessions WHERE key = $1 AND expires_at > $2", {session.key(), now});
  if (!row) return session;
  if (!row->is_null(0)) session.customer = row->number(0);
  if (now - row->time(1) > kSeenAgain) keep(session);
  return session;
}

void Sessions::keep(const Session& session) {
  const auto now = clock_.now();
  database_.transact([&](db::Connection& connection) {
    // A row whose time is over says nothing any more of who its visitor was.
    connection.execute("DELETE FROM sessions WHERE key = $1 AND expires_at <= $2", {session.key(), now});
    connection.execute(
        "INSERT INTO sessions (key, customer_id, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $3, "
        "$4) "
        "ON CONFLICT (key) DO UPDATE SET seen_at = excluded.seen_at, expires_at = excluded.expires_at",
        {session.key(), session.customer, now, now + kSessionLife});
  });
}

Session Sessions::renew(const Session& old, std::optional<std::int64_t> customer) {
  auto session = new_session();
  session.customer = customer;
  const auto now = clock_.now();
  database_.transact([&](db::Connection& connection) {
    connection.execute("DELETE FROM sessions WHERE key = $1", {old.key()});
    connection.execute(
        "INSERT INTO sessions (key, customer_id, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $3, "
        "$4)",
        {session.key(), customer, now, now + kSessionLife});
  });
  return session;
}

void Sessions::end_all(std::int64_t customer, const Session& except) {
  database_.execute("DELETE FROM sessions WHERE customer_id = $1 AND key <> $2", {customer, except.key()});
}

std::size_t Sessions::prune() {
  return database_.execute("DELETE FROM sessions WHERE expires_at <= $1", {clock_.now()});
}

void set_cookie(Response& response, const Request& request, const Session& session) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(kSessionLife).count();
  response.header("Set-Cookie", std::string(cookie_name(request)) + '=' + session.token +
                                    "; Path=/; HttpOnly; SameSite=Lax; Max-Age=" + std::to_string(seconds) +
                                    (is_https(request) ? "; Secure" : ""));
}

bool is_https(const Request& request) {
  return request.header("x-forwarded-proto") == "https";
}

}  // namespace shop::web
