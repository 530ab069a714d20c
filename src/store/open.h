// Which engine `--store` names.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "io/executors.h"
#include "store/store.h"

namespace sampan::store {

// "sqlite": <data_dir>/state.db. "memory": nothing on the disk. Anything else is a core::Error. Blocking.
// The store is used on executors.control() and must be destroyed there or after executors.stop().
std::unique_ptr<Store> open_store(std::string_view kind, const std::filesystem::path& data_dir,
                                  io::Executors& executors);

}  // namespace sampan::store
