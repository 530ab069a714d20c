#include "store/open.h"

#include <fmt/core.h>

#include "core/error.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace sampan::store {

std::unique_ptr<Store> open_store(std::string_view kind, const std::filesystem::path& data_dir,
                                  io::Executors& executors) {
  if (kind == "memory") return make_memory_store(executors.control());
  if (kind == "sqlite") return open_sqlite_store(data_dir / "state.db", executors.control());
  throw core::Error(fmt::format("--store {}", kind), "known are sqlite and memory");
}

}  // namespace sampan::store
