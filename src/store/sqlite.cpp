#include "store/sqlite.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace sampan::store {
namespace {

std::string reason(int code, const char* message, int error_number, const std::filesystem::path& path) {
  const int primary = code & 0xff;
  const auto directory = path.parent_path().string();
  if (primary == SQLITE_FULL || error_number == ENOSPC) {
    return fmt::format("no space left on device: free some on the file system of {}", directory);
  }
  if (error_number == EDQUOT) {
    return fmt::format("disk quota exceeded: free some on the file system of {}", directory);
  }
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    return fmt::format("the file is damaged ({}): move it away and put a backup in its place", message);
  }
  if (primary == SQLITE_IOERR && error_number != 0) {
    return fmt::format("{} ({})", message, std::strerror(error_number));
  }
  return message;
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}
void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Database::Database(const std::filesystem::path& path) : path_(path) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(opened);
  if (!opened) throw core::Error(fmt::format("open {}", path.string()), "out of memory");
  sqlite3_extended_result_codes(opened, 1);
  if (code != SQLITE_OK) fail("open", code);
}

void Database::run(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail("write", code);
}

std::int64_t Database::number(const std::string& sql) {
  auto statement = prepare(sql);
  return statement.step() ? statement.number(0) : 0;
}

std::string Database::text(const std::string& sql) {
  auto statement = prepare(sql);
  return statement.step() ? std::string(statement.blob(0)) : std::string();
}

Statement Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail("read", code);
  return {*this, statement};
}

void Database::roll_back() noexcept {
  if (!sqlite3_get_autocommit(database_.get())) {
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Database::fail(std::string_view tried, int code) const {
  const int error_number = sqlite3_system_errno(database_.get());
  throw core::Error(fmt::format("{} {}", tried, path_.string()),
                    reason(code, sqlite3_errmsg(database_.get()), error_number, path_));
}

Statement& Statement::bind(int index, std::int64_t number) {
  const int code = sqlite3_bind_int64(statement_.get(), index, number);
  if (code != SQLITE_OK) database_->fail("write", code);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  // A null pointer would bind NULL, which is not the empty value.
  const char* data = bytes.data() ? bytes.data() : "";
  const int code = sqlite3_bind_blob64(statement_.get(), index, data, bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) database_->fail("write", code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  try {
    database_->fail("access", code);
  } catch (...) {
    sqlite3_reset(statement_.get());
    throw;
  }
}

void Statement::run() {
  step();
  sqlite3_reset(statement_.get());
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data ? std::string_view(data, size) : std::string_view();
}

}  // namespace sampan::store
