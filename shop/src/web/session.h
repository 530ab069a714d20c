// Who is looking: a token in a cookie, and what the database remembers of it.
//
// A visitor gets a token with the first page, and a row with the first form that is sent: reading writes
// nothing. The database keeps only the token's digest. Whoever signs somebody in or out calls renew(), so
// that a token that was known before is worth nothing afterwards. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/clock.h"
#include "db/database.h"

namespace shop::web {

struct Request;
struct Response;

struct Session {
  std::string token;   // what the cookie says: a secret
  bool fresh = false;  // the browser does not have it yet
  std::optional<std::int64_t> customer;

  std::string key() const;   // of its row; a guest's cart belongs to it
  std::string csrf() const;  // what this session's forms carry
};

inline constexpr std::chrono::hours kSessionLife{30 * 24};  // since it was last seen

class Sessions {
 public:
  Sessions(db::Database& database, const core::Clock& clock) : database_(database), clock_(clock) {}

  // The one of the request's cookie; a fresh one when there is none. Asks the database only if there is a
  // cookie.
  Session of(const Request& request);
  // Makes sure that it has a row, which lives from now on for kSessionLife. Called for everything that is
  // sent.
  void keep(const Session& session);
  // A new token for `customer` (or for a guest); `old` is gone. The answer must set_cookie() it.
  Session renew(const Session& old, std::optional<std::int64_t> customer);
  // All of a customer's but `except` (a password was changed).
  void end_all(std::int64_t customer, const Session& except);
  // Those whose time is over; how many.
  std::size_t prune();

 private:
  db::Database& database_;
  const core::Clock& clock_;
};

// HttpOnly, SameSite=Lax; Secure when the request came by https (X-Forwarded-Proto).
void set_cookie(Response& response, const Request& request, const Session& session);
bool is_https(const Request& request);

}  // namespace shop::web
