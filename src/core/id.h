// Strong ids: a TaskId never passes for a NodeId.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace sampan::core {

template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}
  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::string text_;
};

}  // namespace sampan::core

template <class Tag>
struct std::hash<sampan::core::Id<Tag>> {
  std::size_t operator()(const sampan::core::Id<Tag>& id) const { return std::hash<std::string>()(id.str()); }
};
