#include "store/sqlite_store.h"

#include "store/local_store.h"
#include "store/sqlite_journal.h"

namespace sampan::store {

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& path,
                                         boost::asio::any_io_executor control) {
  return std::make_unique<LocalStore>(std::move(control), std::make_unique<SqliteJournal>(path));
}

}  // namespace sampan::store
