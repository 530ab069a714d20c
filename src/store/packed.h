// Rows as a few bytes: numbered fields, each with its length, behind one byte that says how they are written.
//
//   row    := version (1 byte, 0x01) field*
//   field  := number (1 byte) length (varint) payload
//   number := varint           text := its bytes           texts := (length (varint) bytes)*
// A varint has seven bits a byte, the low ones first; the last byte's high bit is clear.
//
// A field that is absent has its member's default: rows written before the member existed stay good. A field
// whose number the reader does not know was written by a newer version, and is an error: leaving it out would
// lose it at the next write. The first byte of rows in JSON ('{') is no version here, so both can be told
// apart. Pure. Whatever the bytes are, reading them ends in values or in core::Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sampan::store {

inline constexpr char kPackedVersion = 0x01;

inline bool is_packed(std::string_view row) {
  return !row.empty() && row.front() == kPackedVersion;
}

class PackedWriter {
 public:
  PackedWriter() { bytes_.push_back(kPackedVersion); }
  void number(std::uint8_t field, std::uint64_t value);
  void text(std::uint8_t field, std::string_view value);
  // One field of several texts: begin, item for each, end.
  class Items {
   public:
    void item(std::string_view text);

   private:
    friend class PackedWriter;
    std::string bytes_;
  };
  void items(std::uint8_t field, const Items& items) { text(field, items.bytes_); }
  template <class Texts>
  void texts(std::uint8_t field, const Texts& all) {
    Items list;
    for (const auto& one : all) list.item(one);
    items(field, list);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// What is left of some texts in one field.
class PackedItems {
 public:
  explicit PackedItems(std::string_view bytes) : rest_(bytes) {}
  bool next(std::string_view& item);  // false: there are no more

 private:
  std::string_view rest_;
};

// Gives a row's fields one after another, as views into it.
class PackedReader {
 public:
  // Throws core::Error when it is not a packed row of this version.
  explicit PackedReader(std::string_view row);
  bool next();  // false at the end
  std::uint8_t field() const { return field_; }
  std::uint64_t number() const;
  std::string_view text() const { return payload_; }
  PackedItems items() const { return PackedItems(payload_); }
  [[noreturn]] void refuse_field() const;  // its number is not known

 private:
  std::string_view rest_;
  std::uint8_t field_ = 0;
  std::string_view payload_;
};

}  // namespace sampan::store
