#include "store/memory_store.h"

#include "store/local_store.h"

namespace sampan::store {

std::unique_ptr<Store> make_memory_store(boost::asio::any_io_executor control) {
  return std::make_unique<LocalStore>(std::move(control), nullptr);
}

}  // namespace sampan::store
