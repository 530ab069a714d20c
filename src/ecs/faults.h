// Short names for the two faults ECS gives for most bad input. "Rule of thumb: bad task definition content →
// ClientException; bad service or run parameters → InvalidParameterException."
#pragma once

#include <fmt/core.h>

#include <utility>

#include "api/ecs.h"

namespace sampan::ecs {

template <class... Args>
[[noreturn]] void client_fault(fmt::format_string<Args...> text, Args&&... args) {
  throw api::ecs::ClientException(fmt::format(text, std::forward<Args>(args)...));
}

template <class... Args>
[[noreturn]] void invalid_parameter(fmt::format_string<Args...> text, Args&&... args) {
  throw api::ecs::InvalidParameterException(fmt::format(text, std::forward<Args>(args)...));
}

// The list of an optional member, or an empty one.
template <class T>
const std::vector<T>& list_or_empty(const std::optional<std::vector<T>>& list) {
  static const std::vector<T> kEmpty;
  return list ? *list : kEmpty;
}

inline bool contains(const std::optional<std::vector<std::string>>& list, std::string_view value) {
  for (const auto& item : list_or_empty(list)) {
    if (item == value) return true;
  }
  return false;
}

}  // namespace sampan::ecs
