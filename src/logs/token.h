// The opaque words that the API hands out: paging tokens and event ids. Pure.
//
//   position   56 digits: time (16), the stream's number (20), the event's index (20)
//   GetLogEvents      "f/<position>" and "b/<position>"
//   FilterLogEvents   "<position>"; an event's id is its own position
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "logs/event.h"
#include "logs/page.h"

namespace sampan::logs {

std::string render_position(const Key& key);
std::optional<Key> parse_position(std::string_view text);

struct DirectedToken {
  Direction direction = Direction::kForward;
  Key position;
};
std::string render_token(Direction direction, const Key& position);
std::optional<DirectedToken> parse_token(std::string_view text);

// For lists by name: the last name of the page.
std::string render_name_token(std::string_view last_name);
std::optional<std::string> parse_name_token(std::string_view token);

}  // namespace sampan::logs
