// The engine of one machine that survives kill -9 and power loss: one SQLite file.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <memory>

#include "store/store.h"

namespace sampan::store {

// Opens or makes `path` (and the directories above it) and reads all of it. Blocking: at start-up. Throws
// core::Error: in use by another process, written by a newer version, damaged.
std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& path,
                                         boost::asio::any_io_executor control);

}  // namespace sampan::store
