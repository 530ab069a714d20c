// Digests that many places name, once each: a number stands for the 32 or 64 bytes. Counts who holds a
// number, and gives it out anew when nobody does. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sampan::ecr {

class DigestPool {
 public:
  using Id = std::uint32_t;

  DigestPool() = default;
  DigestPool(DigestPool&&) = default;  // a copy's views would be the other's
  DigestPool& operator=(DigestPool&&) = default;

  Id hold(std::string_view raw);
  void let_go(Id id);
  std::optional<Id> find(std::string_view raw) const;
  std::string_view raw(Id id) const { return slots_[id].raw; }  // good as long as it is held
  std::size_t size() const { return ids_.size(); }
  void reserve(std::size_t count) { ids_.reserve(count); }

 private:
  struct Slot {
    std::string raw;
    std::uint32_t holders = 0;
  };
  std::deque<Slot> slots_;  // never move: ids_ has views of them
  std::unordered_map<std::string_view, Id> ids_;
  std::vector<Id> free_;
};

}  // namespace sampan::ecr
