#include "store/limits.h"

#include <fmt/core.h>

#include "core/error.h"

namespace sampan::store {
namespace {

void check_key(const std::string& key) {
  if (key.empty()) throw core::Error("a row without a key cannot be stored");
  if (key.size() > kKeyLimit) {
    throw core::Error(fmt::format("the key '{}…' has {} bytes: a key has at most {}", key.substr(0, 40),
                                  key.size(), kKeyLimit));
  }
}

void check_count(std::size_t count, const char* what) {
  if (count > kOperationLimit) {
    throw core::Error(
        fmt::format("a transaction with {} {} was given: it has at most {}", count, what, kOperationLimit));
  }
}

}  // namespace

void check_limits(const Transaction& transaction) {
  check_count(transaction.compares.size(), "compares");
  check_count(transaction.writes.size(), "writes");
  for (const auto& compare : transaction.compares) check_key(compare.key);
  for (const auto& write : transaction.writes) {
    check_key(write.key);
    if (write.value && write.value->size() > kValueLimit) {
      throw core::Error(fmt::format("the value of '{}' has {} bytes: a value has at most {}", write.key,
                                    write.value->size(), kValueLimit));
    }
  }
}

}  // namespace sampan::store
