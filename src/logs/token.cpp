#include "logs/token.h"

#include <fmt/core.h>

#include <charconv>

#include "core/encoding.h"

namespace sampan::logs {
namespace {

constexpr std::size_t kTimeDigits = 16, kStreamDigits = 20, kIndexDigits = 20;

template <class T>
bool parse_number(std::string_view text, int base, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

// Streams are known by 16 hex digits: as a number they take 20 decimal ones.
std::string render_position(const Key& key) {
  std::uint64_t stream = 0;
  parse_number(key.stream, 16, stream);
  return fmt::format("{:016}{:020}{:020}", key.time, stream, key.index);
}

std::optional<Key> parse_position(std::string_view text) {
  if (text.size() != kTimeDigits + kStreamDigits + kIndexDigits) return std::nullopt;
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  Key key;
  std::uint64_t stream = 0;
  if (!parse_number(text.substr(0, kTimeDigits), 10, key.time)) return std::nullopt;
  if (!parse_number(text.substr(kTimeDigits, kStreamDigits), 10, stream)) return std::nullopt;
  if (!parse_number(text.substr(kTimeDigits + kStreamDigits), 10, key.index)) return std::nullopt;
  if (stream != 0) key.stream = fmt::format("{:016x}", stream);
  return key;
}

std::string render_token(Direction direction, const Key& position) {
  return (direction == Direction::kForward ? "f/" : "b/") + render_position(position);
}

std::optional<DirectedToken> parse_token(std::string_view text) {
  if (!text.starts_with("f/") && !text.starts_with("b/")) return std::nullopt;
  auto position = parse_position(text.substr(2));
  if (!position) return std::nullopt;
  return DirectedToken{text[0] == 'f' ? Direction::kForward : Direction::kBackward, *position};
}

std::string render_name_token(std::string_view last_name) {
  return core::to_base64(last_name);
}

std::optional<std::string> parse_name_token(std::string_view token) {
  return core::from_base64(token);
}

}  // namespace sampan::logs
