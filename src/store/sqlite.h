// SQLite's C interface with owners and errors: a connection and a prepared statement, as far as the journal
// needs them. Blocking. One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace sampan::store {

class Statement;

class Database {
 public:
  // Opens or makes the file. Throws core::Error.
  explicit Database(const std::filesystem::path& path);

  void run(const std::string& sql);  // statements without results that matter
  std::int64_t number(const std::string& sql);
  std::string text(const std::string& sql);
  Statement prepare(std::string_view sql);
  // Ends a transaction that failed; harmless without one.
  void roll_back() noexcept;

  // What `code` of the last call means to the person who runs this: "tried: why, and what to do".
  [[noreturn]] void fail(std::string_view tried, int code) const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Close> database_;
};

// Bound values are not copied: they must live until reset() or the next step.
class Statement {
 public:
  Statement(Database& database, sqlite3_stmt* statement) : database_(&database), statement_(statement) {}

  Statement& bind(int index, std::int64_t number);
  Statement& bind_blob(int index, std::string_view bytes);
  bool step();  // true: there is a row
  void run();   // steps once, expects no row, resets
  std::int64_t number(int column) const;
  std::string_view blob(int column) const;  // good until the next step

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace sampan::store
