// Small pure functions on text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::core {

std::vector<std::string> split(std::string_view text, char separator);  // keeps empty parts
std::string_view trim(std::string_view text);                           // white space at both ends
std::string to_lower(std::string_view text);                            // ASCII
bool equal_ignoring_case(std::string_view a, std::string_view b);       // ASCII
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
// The whole of `text` as a decimal number, or nothing.
std::optional<std::int64_t> parse_int(std::string_view text);
// '*' any run, '?' one character; `*` matches '/' too.
bool wildcard_match(std::string_view pattern, std::string_view text);

}  // namespace sampan::core
