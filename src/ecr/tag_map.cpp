#include "ecr/tag_map.h"

#include <algorithm>

#include "core/error.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kMostEntries = 256;
// So that 256 of the longest tags, and as much garbage, are found by sixteen bits.
constexpr std::size_t kMostText = 65'535;

}  // namespace

std::string_view TagMap::Block::tag(std::size_t at) const {
  return std::string_view(text).substr(entries[at].offset, entries[at].length);
}

std::size_t TagMap::Block::lower_bound(std::string_view wanted) const {
  std::size_t low = 0;
  std::size_t high = entries.size();
  while (low < high) {
    const auto middle = (low + high) / 2;
    if (tag(middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void TagMap::Block::insert(std::size_t at, std::string_view tag, Image image) {
  const Entry entry{static_cast<std::uint16_t>(text.size()), static_cast<std::uint8_t>(tag.size()), image};
  text.append(tag);
  entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(at), entry);
}

void TagMap::Block::erase(std::size_t at) {
  garbage += entries[at].length;
  entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(at));
}

TagMap::Block TagMap::Block::part(std::size_t from, std::size_t to) const {
  Block part;
  std::size_t bytes = 0;
  for (auto at = from; at < to; ++at) bytes += entries[at].length;
  part.text.reserve(bytes);
  part.entries.reserve(to - from);
  for (auto at = from; at < to; ++at) part.insert(part.entries.size(), tag(at), entries[at].image);
  return part;
}

TagMap::const_iterator& TagMap::const_iterator::operator++() {
  if (++at_ == map_->blocks_[block_].entries.size()) {
    ++block_;
    at_ = 0;
  }
  return *this;
}

TagMap::Item TagMap::item(std::size_t block, std::size_t at) const {
  return {blocks_[block].tag(at), blocks_[block].entries[at].image};
}

std::size_t TagMap::block_for(std::string_view tag) const {
  const auto after =
      std::upper_bound(blocks_.begin(), blocks_.end(), tag,
                       [](std::string_view a, const Block& block) { return a < block.tag(0); });
  return after == blocks_.begin() ? 0 : static_cast<std::size_t>(after - blocks_.begin()) - 1;
}

TagMap::const_iterator TagMap::lower_bound(std::string_view tag) const {
  if (blocks_.empty()) return end();
  const auto block = block_for(tag);
  const auto at = blocks_[block].lower_bound(tag);
  if (at < blocks_[block].entries.size()) return {*this, block, at};
  return {*this, block + 1, 0};
}

TagMap::const_iterator TagMap::upper_bound(std::string_view tag) const {
  auto found = lower_bound(tag);
  if (found != end() && (*found).first == tag) ++found;
  return found;
}

std::optional<TagMap::Image> TagMap::find(std::string_view tag) const {
  const auto found = lower_bound(tag);
  if (found == end() || (*found).first != tag) return std::nullopt;
  return (*found).second;
}

void TagMap::put(std::string_view tag, Image image) {
  SAMPAN_CHECK(!tag.empty() && tag.size() <= kLongestTag);
  if (blocks_.empty()) return append(tag, image);
  auto block = block_for(tag);
  auto at = blocks_[block].lower_bound(tag);
  if (at < blocks_[block].entries.size() && blocks_[block].tag(at) == tag) {
    blocks_[block].entries[at].image = image;
    return;
  }
  make_room(block);
  block = block_for(tag);
  blocks_[block].insert(blocks_[block].lower_bound(tag), tag, image);
  ++size_;
}

void TagMap::erase(std::string_view tag, Image image) {
  const auto found = lower_bound(tag);
  if (found == end() || (*found).first != tag || (*found).second != image) return;
  auto& block = blocks_[found.block_];
  block.erase(found.at_);
  --size_;
  if (block.entries.empty()) {
    blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(found.block_));
  } else if (block.garbage > block.text.size() / 2) {
    block = block.part(0, block.entries.size());
  }
}

void TagMap::append(std::string_view tag, Image image) {
  SAMPAN_CHECK(!tag.empty() && tag.size() <= kLongestTag);
  // Filled to three quarters: the first changes later on find room.
  if (blocks_.empty() || blocks_.back().entries.size() >= kMostEntries * 3 / 4) {
    blocks_.emplace_back().entries.reserve(kMostEntries * 3 / 4);
  }
  blocks_.back().insert(blocks_.back().entries.size(), tag, image);
  ++size_;
}

// Room for one more tag of any length.
void TagMap::make_room(std::size_t index) {
  auto& block = blocks_[index];
  const bool many = block.entries.size() >= kMostEntries;
  if (!many && block.text.size() + kLongestTag <= kMostText) return;
  const auto count = block.entries.size();
  const auto live = block.text.size() - block.garbage;
  if (!many && live + kLongestTag <= kMostText) {
    block = block.part(0, count);
    return;
  }
  auto behind = block.part(count / 2, count);
  block = block.part(0, count / 2);
  blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(behind));
}

}  // namespace sampan::ecr
