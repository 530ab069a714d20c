// The database: PostgreSQL or SQLite behind one narrow door, so that every module's SQL is tried on both.
//
//   "sqlite:PATH"                                one file; the default, without any set-up
//   "postgresql://user:password@host:port/name"  or libpq's own "host=… dbname=…"
//
// SQL is written in what both understand; parameters are $1, $2, …. Only migrations know the difference.
// Thread-safe: each transaction or query takes a connection of its own from the pool.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/money.h"

namespace shop::db {

// What is no text: pictures.
struct Bytes {
  std::string octets;
};

// A parameter or a column: NULL, a number, text or bytes.
class Value {
 public:
  Value(std::nullptr_t) {}                                     // NOLINT: values are written as they are
  Value(std::int64_t number) : value_(number) {}               // NOLINT
  Value(int number) : value_(std::int64_t{number}) {}          // NOLINT
  Value(bool truth) : value_(std::int64_t{truth}) {}           // NOLINT
  Value(std::string text) : value_(std::move(text)) {}         // NOLINT
  Value(std::string_view text) : value_(std::string(text)) {}  // NOLINT
  Value(const char* text) : value_(std::string(text)) {}       // NOLINT
  Value(Bytes bytes) : value_(std::move(bytes)) {}             // NOLINT
  Value(core::Dong money) : value_(money.amount()) {}          // NOLINT
  Value(core::TimePoint time) : value_(time.time_since_epoch().count()) {}  // NOLINT
  template <class T>
  Value(const std::optional<T>& maybe) : Value(maybe ? Value(*maybe) : Value(nullptr)) {}  // NOLINT

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_text() const { return std::holds_alternative<std::string>(value_); }
  std::int64_t number() const;      // throws std::logic_error when it is none
  const std::string& text() const;  // likewise
  bool is_bytes() const { return std::holds_alternative<Bytes>(value_); }
  const std::string& bytes() const;  // likewise

 private:
  std::variant<std::monostate, std::int64_t, std::string, Bytes> value_;
};

// Columns in the order of the SELECT.
class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  const Value& operator[](std::size_t column) const { return values_.at(column); }
  std::int64_t number(std::size_t column) const { return values_.at(column).number(); }
  const std::string& text(std::size_t column) const { return values_.at(column).text(); }
  const std::string& bytes(std::size_t column) const { return values_.at(column).bytes(); }
  bool truth(std::size_t column) const { return number(column) != 0; }
  core::Dong money(std::size_t column) const { return core::Dong(number(column)); }
  core::TimePoint time(std::size_t column) const {
    return core::TimePoint(std::chrono::milliseconds(number(column)));
  }
  bool is_null(std::size_t column) const { return values_.at(column).is_null(); }

 private:
  std::vector<Value> values_;
};
using Rows = std::vector<Row>;
using Values = std::vector<Value>;

// A row that a UNIQUE or CHECK refused.
class Conflict : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
// The database is not there or does not answer.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One connection, in or out of a transaction. Not thread-safe.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual Rows query(std::string_view sql, const Values& values = {}) = 0;
  // How many rows it changed.
  virtual std::size_t execute(std::string_view sql, const Values& values = {}) = 0;

  std::optional<Row> query_one(std::string_view sql, const Values& values = {});
};

enum class Engine { kSqlite, kPostgres };

// What a transaction sees of others that commit beside it (SQLite has one writer at a time: nothing).
//   kSnapshot  nothing: it is run anew when it would overwrite what it did not see
//   kRowLocks  whatever was committed before each statement: for work that locks what it is about first, by
//   an
//              UPDATE of it, and would be run anew again and again where many want the same row
enum class Isolation { kSnapshot, kRowLocks };

class Database {
 public:
  explicit Database(const std::string& url, int connections = 16);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Engine engine() const { return engine_; }
  Rows query(std::string_view sql, const Values& values = {});
  std::optional<Row> query_one(std::string_view sql, const Values& values = {});
  std::size_t execute(std::string_view sql, const Values& values = {});

  // Runs `work` in one transaction that writes: committed when it returns, rolled back when it throws. Run
  // anew when the database says that it lost against another one (serialization, deadlock), so it must touch
  // nothing but the database and its own result.
  void transact(const std::function<void(Connection&)>& work, Isolation isolation = Isolation::kSnapshot);
  template <class T>
  T transact_for(const std::function<T(Connection&)>& work, Isolation isolation = Isolation::kSnapshot) {
    std::optional<T> result;
    transact([&](Connection& connection) { result = work(connection); }, isolation);
    return std::move(*result);
  }
  // Throws Unavailable.
  void ping();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  Engine engine_;
};

}  // namespace shop::db
