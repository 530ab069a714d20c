// One JSON object a line on standard error: time, level, message and what the caller adds.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace shop::core::log {

using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;

void info(std::string_view message, Fields fields = {});
void warn(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});
void quiet(bool value);  // tests: only errors

}  // namespace shop::core::log
