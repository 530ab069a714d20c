#include "node/id_ranges.h"

#include <functional>

#include "core/encoding.h"
#include "core/error.h"

namespace sampan::node {
namespace {

constexpr std::uint32_t kSize = 65536;
constexpr std::uint32_t kFirstSlot = 256;  // 16,777,216: above what /etc/subuid gives to people
constexpr std::uint32_t kEndSlot = 32768;  // 2^31: some programs keep ids in a signed int

std::uint32_t start_of(std::string_view instance) {
  std::uint32_t hash = 0;
  for (char c : core::sha256_hex(instance).substr(0, 6)) hash = hash * 31 + static_cast<unsigned char>(c);
  return kFirstSlot + hash % (kEndSlot - kFirstSlot);
}

}  // namespace

IdRanges::IdRanges(std::string_view instance) : next_(start_of(instance)) {}

IdRange IdRanges::take() {
  std::scoped_lock lock(mutex_);
  for (std::uint32_t tries = 0; tries < kEndSlot - kFirstSlot; ++tries) {
    auto slot = next_++;
    if (next_ >= kEndSlot) next_ = kFirstSlot;
    if (used_.insert(slot).second) return IdRange{slot * kSize, kSize};
  }
  throw core::Error("take a range of user ids", "all are in use");
}

void IdRanges::reserve(const IdRange& ids) {
  std::scoped_lock lock(mutex_);
  used_.insert(ids.base / kSize);
}

void IdRanges::release(const IdRange& ids) {
  std::scoped_lock lock(mutex_);
  used_.erase(ids.base / kSize);
}

}  // namespace sampan::node
