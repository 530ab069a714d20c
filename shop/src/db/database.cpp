#include "db/database.h"

#include <Poco/Data/DataException.h>
#include <Poco/Data/PostgreSQL/Connector.h>
#include <Poco/Data/RecordSet.h>
#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/Session.h>
#include <Poco/Data/SessionPool.h>
#include <Poco/URI.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <deque>
#include <random>
#include <semaphore>
#include <thread>

namespace shop::db {
namespace {

namespace data = Poco::Data;
using namespace Poco::Data::Keywords;  // NOLINT: POCO's own way of writing statements

constexpr int kTransactionTries = 20;
constexpr std::chrono::seconds kWaitForConnection{10};

// Lost against another transaction: the same work may succeed now.
class Lost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

bool says(const std::string& text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != text.npos; });
}

// Both connectors tell what happened in their exception's text; only that is the same for both.
[[noreturn]] void rethrow(const Poco::Exception& error, std::string_view sql) {
  const auto text = error.displayText();
  const auto shown = text + " in: " + std::string(sql.substr(0, 200));
  if (says(text, {"State: 40001", "State: 40P01", "database is locked", "Database is locked",
                  "database table is locked"}))
    throw Lost(shown);
  if (says(text, {"State: 23", "onstraint violation", "constraint failed"})) throw Conflict(shown);
  if (says(text, {"onnection", "State: 57P", "State: 08", "No handle", "not connected", "unable to open"}))
    throw Unavailable(shown);
  throw std::runtime_error(shown);
}

Value to_value(const Poco::Dynamic::Var& cell) {
  if (cell.isEmpty()) return nullptr;
  if (cell.isString()) return cell.extract<std::string>();
  if (cell.type() == typeid(data::CLOB)) {  // PostgreSQL's TEXT
    const auto& text = cell.extract<data::CLOB>();
    return std::string(text.rawContent(), text.size());
  }
  if (cell.type() == typeid(data::BLOB)) {
    const auto& bytes = cell.extract<data::BLOB>();
    return Bytes{{reinterpret_cast<const char*>(bytes.rawContent()), bytes.size()}};
  }
  if (cell.isBoolean()) return cell.convert<bool>();
  return static_cast<std::int64_t>(cell.convert<Poco::Int64>());
}

class PocoConnection final : public Connection {
 public:
  explicit PocoConnection(data::Session session) : session_(std::move(session)) {}

  Rows query(std::string_view sql, const Values& values) override {
    try {
      data::Statement statement(session_);
      prepare(statement, sql, values);
      statement.execute();
      data::RecordSet found(statement);
      Rows rows;
      rows.reserve(found.rowCount());
      for (std::size_t at = 0; at < found.rowCount(); ++at) {
        std::vector<Value> cells;
        cells.reserve(found.columnCount());
        for (std::size_t column = 0; column < found.columnCount(); ++column) {
          cells.push_back(found.isNull(column, at) ? Value(nullptr) : to_value(found.value(column, at)));
        }
        rows.emplace_back(std::move(cells));
      }
      return rows;
    } catch (const Poco::Exception& error) {
      rethrow(error, sql);
    }
  }

  std::size_t execute(std::string_view sql, const Values& values) override {
    try {
      data::Statement statement(session_);
      prepare(statement, sql, values);
      return statement.execute();
    } catch (const Poco::Exception& error) {
      rethrow(error, sql);
    }
  }

 private:
  // POCO binds references: they live here until the statement has run.
  void prepare(data::Statement& statement, std::string_view sql, const Values& values) {
    numbers_.clear();
    texts_.clear();
    nulls_.clear();
    blobs_.clear();
    statement << std::string(sql);
    for (const auto& value : values) {
      if (value.is_null()) {
        statement, use(nulls_.emplace_back());
      } else if (value.is_bytes()) {
        const auto& octets = value.bytes();
        statement,
            use(blobs_.emplace_back(reinterpret_cast<const unsigned char*>(octets.data()), octets.size()));
      } else if (value.is_text()) {
        statement, use(texts_.emplace_back(value.text()));
      } else {
        statement, use(numbers_.emplace_back(value.number()));
      }
    }
  }

  data::Session session_;
  std::deque<Poco::Int64> numbers_;
  std::deque<std::string> texts_;
  std::deque<Poco::Nullable<std::string>> nulls_;
  std::deque<data::BLOB> blobs_;
};

struct Target {
  Engine engine;
  std::string connector;
  std::string text;
};

// POCO splits the words at spaces and knows no quotes.
const std::string& one_word(const std::string& value) {
  if (value.find_first_of(" '\\\t\n") == value.npos) return value;
  throw std::invalid_argument(
      "DATABASE_URL: spaces, quotes and backslashes cannot stand in a password or a name");
}

// libpq's words from a URL: POCO hands them on as they are.
std::string libpq_words(const std::string& url) {
  const Poco::URI uri(url);
  const auto user = uri.getUserInfo();
  const auto colon = user.find(':');
  std::string words = "host=" + one_word(uri.getHost()) + " dbname=" +
                      one_word(uri.getPath().substr(std::min<std::size_t>(1, uri.getPath().size())));
  if (uri.getPort() != 0) words += " port=" + std::to_string(uri.getPort());
  if (!user.empty()) words += " user=" + one_word(user.substr(0, colon));
  if (colon != user.npos) words += " password=" + one_word(user.substr(colon + 1));
  for (const auto& [name, value] : uri.getQueryParameters()) words += " " + name + "=" + one_word(value);
  return words;
}

Target parse(const std::string& url) {
  if (url.starts_with("sqlite:")) return {Engine::kSqlite, data::SQLite::Connector::KEY, url.substr(7)};
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) {
    return {Engine::kPostgres, data::PostgreSQL::Connector::KEY, libpq_words(url)};
  }
  if (url.find("host=") != url.npos) return {Engine::kPostgres, data::PostgreSQL::Connector::KEY, url};
  throw std::invalid_argument("DATABASE_URL must be sqlite:PATH or postgresql://user:password@host/name");
}

// Every connection is set up once, when it is made.
class Pool final : public data::SessionPool {
 public:
  Pool(const Target& target, int connections)
      : SessionPool(target.connector, target.text, 1, connections), engine_(target.engine) {}

 protected:
  void customizeSession(data::Session& session) override {
    if (engine_ == Engine::kPostgres) {
      session << "SET client_min_messages = warning", now;
      return;
    }
    session << "PRAGMA foreign_keys = ON", now;
    session << "PRAGMA busy_timeout = 10000", now;
    session << "PRAGMA synchronous = NORMAL", now;
  }

 private:
  Engine engine_;
};

void pause_before_retry(int attempt) {
  thread_local std::minstd_rand random(std::random_device{}());
  const int most = std::min(50, 2 << std::min(attempt, 5));
  std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(1, most)(random)));
}

}  // namespace

std::int64_t Value::number() const {
  if (const auto* number = std::get_if<std::int64_t>(&value_)) return *number;
  // What SQLite computes (MAX, COUNT, …) has no declared type and comes as text.
  if (const auto* text = std::get_if<std::string>(&value_)) {
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (failed == std::errc() && end == text->data() + text->size()) return number;
  }
  throw std::logic_error("a column is no number");
}

const std::string& Value::text() const {
  if (const auto* text = std::get_if<std::string>(&value_)) return *text;
  throw std::logic_error("a column is no text");
}

const std::string& Value::bytes() const {
  if (const auto* bytes = std::get_if<Bytes>(&value_)) return bytes->octets;
  throw std::logic_error("a column is no bytes");
}

std::optional<Row> Connection::query_one(std::string_view sql, const Values& values) {
  auto rows = query(sql, values);
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

namespace {

// The right to use one of the connections. Whoever finds them all in use waits for a while.
class Turn {
 public:
  explicit Turn(std::counting_semaphore<>& free) : free_(free) {
    if (!free_.try_acquire_for(kWaitForConnection))
      throw Unavailable("every connection to the database is in use");
  }
  ~Turn() { free_.release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::counting_semaphore<>& free_;
};

}  // namespace

struct Database::Impl {
  Target target;
  std::counting_semaphore<> free;
  Pool pool;

  Impl(Target to, int connections) : target(std::move(to)), free(connections), pool(target, connections) {}

  data::Session session() {
    try {
      return pool.get();
    } catch (const data::SessionPoolExhaustedException&) {
      throw Unavailable("every connection to the database is in use");
    } catch (const Poco::Exception& error) {
      throw Unavailable("cannot reach the database: " + error.displayText());
    }
  }
};

Database::Database(const std::string& url, int connections) {
  [[maybe_unused]] static const bool registered = [] {
    data::SQLite::Connector::registerConnector();
    data::PostgreSQL::Connector::registerConnector();
    return true;
  }();
  auto target = parse(url);
  engine_ = target.engine;
  impl_ = std::make_unique<Impl>(std::move(target), connections);
  if (engine_ == Engine::kSqlite) query("PRAGMA journal_mode = WAL");
}

Database::~Database() = default;

Rows Database::query(std::string_view sql, const Values& values) {
  const Turn turn(impl_->free);
  return PocoConnection(impl_->session()).query(sql, values);
}

std::optional<Row> Database::query_one(std::string_view sql, const Values& values) {
  const Turn turn(impl_->free);
  return PocoConnection(impl_->session()).query_one(sql, values);
}

std::size_t Database::execute(std::string_view sql, const Values& values) {
  const Turn turn(impl_->free);
  return PocoConnection(impl_->session()).execute(sql, values);
}

void Database::transact(const std::function<void(Connection&)>& work, Isolation isolation) {
  for (int attempt = 0;; ++attempt) {
    const Turn turn(impl_->free);
    PocoConnection connection(impl_->session());
    // SQLite takes the right to write at once: two that read first and then both want to write would block
    // each other.
    const auto* begin = engine_ == Engine::kSqlite          ? "BEGIN IMMEDIATE"
                        : isolation == Isolation::kRowLocks ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                                                            : "BEGIN ISOLATION LEVEL REPEATABLE READ";
    try {
      connection.execute(begin, {});
      try {
        work(connection);
        connection.execute("COMMIT", {});
        return;
      } catch (...) {
        try {
          connection.execute("ROLLBACK", {});
        } catch (const std::exception&) {
          // What went wrong first is what counts; a broken connection rolls back by itself.
        }
        throw;
      }
    } catch (const Lost&) {
      if (attempt + 1 == kTransactionTries) throw;
      pause_before_retry(attempt);
    }
  }
}

void Database::ping() {
  query("SELECT 1");
}

}  // namespace shop::db
