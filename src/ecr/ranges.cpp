#include "ecr/ranges.h"

#include <algorithm>
#include <charconv>

#include "core/text.h"

namespace sampan::ecr {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

ByteRange last_bytes(std::uint64_t count, std::uint64_t size) {
  if (count == 0 || size == 0) return {ByteRange::Kind::kUnsatisfiable};
  count = std::min(count, size);
  return {ByteRange::Kind::kPart, size - count, count};
}

}  // namespace

ByteRange parse_range(std::string_view header, std::uint64_t size) {
  const ByteRange whole{ByteRange::Kind::kWhole, 0, size};
  constexpr std::string_view kUnit = "bytes=";
  if (!core::equal_ignoring_case(header.substr(0, kUnit.size()), kUnit)) return whole;
  header = core::trim(header.substr(kUnit.size()));
  const auto dash = header.find('-');
  if (dash == std::string_view::npos || header.find(',') != std::string_view::npos) return whole;
  const auto last = parse_number(header.substr(dash + 1));
  if (dash == 0) return last ? last_bytes(*last, size) : whole;
  const auto first = parse_number(header.substr(0, dash));
  if (!first || (!last && dash + 1 != header.size())) return whole;
  // Backwards is invalid, and may be ignored or refused: whoever asks for bytes does not mean all of them.
  if (*first >= size || (last && *last < *first)) return {ByteRange::Kind::kUnsatisfiable};
  const auto end = last ? std::min(*last, size - 1) : size - 1;
  return {ByteRange::Kind::kPart, *first, end - *first + 1};
}

std::optional<ChunkRange> parse_chunk_range(std::string_view header) {
  header = core::trim(header);
  constexpr std::string_view kUnit = "bytes ";
  if (header.starts_with(kUnit)) header = header.substr(kUnit.size());
  header = header.substr(0, header.find('/'));
  const auto dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_number(header.substr(0, dash));
  const auto last = parse_number(header.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return ChunkRange{*first, *last};
}

}  // namespace sampan::ecr
