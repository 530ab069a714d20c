#include "store/table.h"

#include <algorithm>
#include <utility>

namespace sampan::store {

const Write* Txn::written(const std::string& key) const {
  auto found = std::ranges::find(transaction_.writes, key, &Write::key);
  return found == transaction_.writes.end() ? nullptr : &*found;
}

void Txn::compare(const std::string& key, Revision modified) {
  auto found = std::ranges::find(transaction_.compares, key, &Compare::key);
  if (found == transaction_.compares.end()) transaction_.compares.push_back({key, modified});
}

void Txn::write(std::string key, std::optional<std::string> value) {
  auto found = std::ranges::find(transaction_.writes, key, &Write::key);
  if (found == transaction_.writes.end()) {
    transaction_.writes.push_back({std::move(key), std::move(value), 0});
  } else {
    found->value = std::move(value);
  }
}

}  // namespace sampan::store
