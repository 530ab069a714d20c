#include "accounts/limits.h"

#include "core/error.h"
#include "core/secrets.h"

namespace shop::accounts {
namespace {

constexpr std::chrono::hours kLongestWindow{24};

// A digest: neither addresses nor names stand in the table, and no subject is too long.
std::string key_of(const Limit& limit, const std::string& subject) {
  return core::sha256(std::string(limit.what) + '\n' + subject);
}

}  // namespace

void Limits::count(const Limit& limit, const std::string& subject) {
  const auto now = clock_.now();
  // One statement, so that tries at the same moment are counted one after the other on both databases.
  const auto row = database_.query_one(
      "INSERT INTO limits (subject, window_from, tries) VALUES ($1, $2, 1) ON CONFLICT (subject) DO UPDATE "
      "SET "
      "tries = CASE WHEN limits.window_from <= $3 THEN 1 ELSE limits.tries + 1 END, "
      "window_from = CASE WHEN limits.window_from <= $4 THEN $5 ELSE limits.window_from END RETURNING tries",
      {key_of(limit, subject), now, now - limit.window, now - limit.window, now});
  if (row->number(0) > limit.tries)
    throw core::Refusal(core::Refusal::Kind::kTooMany, "too_many_tries", limit.what);
}

void Limits::forget(const Limit& limit, const std::string& subject) {
  database_.execute("DELETE FROM limits WHERE subject = $1", {key_of(limit, subject)});
}

std::size_t Limits::sweep() {
  return database_.execute("DELETE FROM limits WHERE window_from < $1", {clock_.now() - kLongestWindow});
}

}  // namespace shop::accounts
