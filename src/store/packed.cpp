#include "store/packed.h"

#include <fmt/core.h>

#include <utility>

#include "core/error.h"

namespace sampan::store {
namespace {

constexpr int kVarintBits = 64;

[[noreturn]] void damaged(const char* why) {
  throw core::Error("read a packed row", why);
}

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

std::uint64_t take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < kVarintBits; shift += 7) {
    if (rest.empty()) damaged("it ends within a number");
    const auto byte = static_cast<std::uint8_t>(rest.front());
    rest.remove_prefix(1);
    const std::uint64_t bits = byte & 0x7f;
    if (shift == 63 && bits > 1) damaged("a number is too large");
    value |= bits << shift;
    if ((byte & 0x80) == 0) return value;
  }
  damaged("a number is too long");
}

std::string_view take_bytes(std::string_view& rest) {
  const auto length = take_varint(rest);
  if (length > rest.size()) damaged("it ends within a field");
  const auto bytes = rest.substr(0, length);
  rest.remove_prefix(length);
  return bytes;
}

}  // namespace

void PackedWriter::number(std::uint8_t field, std::uint64_t value) {
  std::string payload;
  append_varint(payload, value);
  text(field, payload);
}

void PackedWriter::text(std::uint8_t field, std::string_view value) {
  bytes_.push_back(static_cast<char>(field));
  append_varint(bytes_, value.size());
  bytes_.append(value);
}

void PackedWriter::Items::item(std::string_view text) {
  append_varint(bytes_, text.size());
  bytes_.append(text);
}

bool PackedItems::next(std::string_view& item) {
  if (rest_.empty()) return false;
  item = take_bytes(rest_);
  return true;
}

PackedReader::PackedReader(std::string_view row) : rest_(row) {
  if (row.empty()) damaged("it is empty");
  if (!is_packed(row)) {
    throw core::Error(
        "read a packed row",
        fmt::format("its first byte is {:#04x}, which no version of this program up to this one "
                    "wrote",
                    static_cast<std::uint8_t>(row.front())));
  }
  rest_.remove_prefix(1);
}

bool PackedReader::next() {
  if (rest_.empty()) return false;
  field_ = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  payload_ = take_bytes(rest_);
  return true;
}

std::uint64_t PackedReader::number() const {
  auto rest = payload_;
  const auto value = take_varint(rest);
  if (!rest.empty()) damaged("bytes follow a number");
  return value;
}

void PackedReader::refuse_field() const {
  throw core::Error("read a packed row",
                    fmt::format("field {} is not known: a newer version wrote it", field_));
}

}  // namespace sampan::store
