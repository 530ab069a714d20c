// How often somebody may try something, counted in the database, so that it holds for all web processes
// together. Thread-safe.
#pragma once

#include <chrono>
#include <string>

#include "core/clock.h"
#include "db/database.h"

namespace shop::accounts {

struct Limit {
  const char* what;  // "sign-in-account"
  int tries;
  std::chrono::minutes window;
};

class Limits {
 public:
  Limits(db::Database& database, const core::Clock& clock) : database_(database), clock_(clock) {}

  // Counts one try of `subject`'s; throws core::Refusal (kTooMany) beyond the limit. The window begins with
  // the first try in it.
  void count(const Limit& limit, const std::string& subject);
  void forget(const Limit& limit, const std::string& subject);
  // Takes away what no longer counts; how many rows. The worker's.
  std::size_t sweep();

 private:
  db::Database& database_;
  const core::Clock& clock_;
};

}  // namespace shop::accounts
