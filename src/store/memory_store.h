// The engine without a disk: for tests, simulations and `--store memory`. All is gone with the process.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "store/store.h"

namespace sampan::store {

std::unique_ptr<Store> make_memory_store(boost::asio::any_io_executor control);

}  // namespace sampan::store
