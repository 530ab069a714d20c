// The tags of one repository in order, each with the number of its image: made for a million of them.
//
// Blocks of a few hundred neighbours; a block keeps the texts of its tags behind each other and eight bytes a
// tag. So a tag costs its text and some ten bytes, filling sorted tags in is a copy, and a change moves no
// more than a block. Pure; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::ecr {

class TagMap {
 public:
  using Image = std::uint32_t;
  static constexpr std::size_t kLongestTag = 255;  // OCI allows 128

  struct Item {
    std::string_view first;  // good until the next change
    Image second = 0;
  };

  class const_iterator {
   public:
    const_iterator() = default;
    Item operator*() const { return map_->item(block_, at_); }
    const_iterator& operator++();
    bool operator==(const const_iterator& other) const = default;

   private:
    friend class TagMap;
    const_iterator(const TagMap& map, std::size_t block, std::size_t at)
        : map_(&map), block_(block), at_(at) {}
    const TagMap* map_ = nullptr;
    std::size_t block_ = 0;
    std::size_t at_ = 0;
  };

  std::optional<Image> find(std::string_view tag) const;
  void put(std::string_view tag, Image image);
  // Only when the tag is the image's.
  void erase(std::string_view tag, Image image);
  // Behind all others: for filling in order. The tag must be greater than those before.
  void append(std::string_view tag, Image image);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const_iterator begin() const { return {*this, 0, 0}; }
  const_iterator end() const { return {*this, blocks_.size(), 0}; }
  const_iterator lower_bound(std::string_view tag) const;
  const_iterator upper_bound(std::string_view tag) const;

 private:
  struct Entry {
    std::uint16_t offset = 0;  // in the block's text
    std::uint8_t length = 0;
    Image image = 0;
  };
  struct Block {
    std::string text;
    std::vector<Entry> entries;  // never empty
    std::size_t garbage = 0;     // bytes of text that no entry names

    std::string_view tag(std::size_t at) const;
    std::size_t lower_bound(std::string_view tag) const;
    void insert(std::size_t at, std::string_view tag, Image image);
    void erase(std::size_t at);
    // The entries from..to in a block of their own, without garbage.
    Block part(std::size_t from, std::size_t to) const;
  };

  Item item(std::size_t block, std::size_t at) const;
  std::size_t block_for(std::string_view tag) const;  // where it is or would go; 0 when there are no blocks
  void make_room(std::size_t block);

  std::vector<Block> blocks_;
  std::size_t size_ = 0;
};

}  // namespace sampan::ecr
