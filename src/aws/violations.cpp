#include "aws/violations.h"

#include <fmt/format.h>

#include <algorithm>

#include "aws/pattern.h"

namespace sampan::aws {
namespace {

constexpr std::size_t kShownValue = 256;  // more of a refused value is not repeated to its sender

// Lengths are counted in characters, not bytes.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

std::string shown(std::string_view value) {
  if (value.size() <= kShownValue) return std::string(value);
  auto end = kShownValue;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80) --end;
  return std::string(value.substr(0, end)) + "...";
}

}  // namespace

void Violations::missing(const Shape& parent, const Member& member, std::string_view name) {
  Scope here(this, name, 0, &parent);
  add(Violation::Kind::kRequired, false, *member.shape, {});
}

void Violations::check_string(const Shape& shape, const std::string& value) {
  if (!shape.limits) return;
  const auto& limits = *shape.limits;
  if (limits.min || limits.max) {
    const auto length = static_cast<double>(shape.kind == Kind::kBlob ? value.size() : characters(value));
    const bool below = limits.min && length < *limits.min;
    if (below || (limits.max && length > *limits.max))
      return add(Violation::Kind::kLength, below, shape, value);
  }
  if (shape.kind == Kind::kBlob) return;
  if (!limits.values.empty() && std::ranges::find(limits.values, value) == limits.values.end()) {
    return add(Violation::Kind::kEnum, false, shape, value);
  }
  if (!limits.pattern.empty() && !matches_pattern(limits.pattern, value)) {
    add(Violation::Kind::kPattern, false, shape, value);
  }
}

void Violations::check_number(const Shape& shape, double value) {
  if (!shape.limits) return;
  const bool below = shape.limits->min && value < *shape.limits->min;
  if (!below && !(shape.limits->max && value > *shape.limits->max)) return;
  add(Violation::Kind::kRange, below, shape, fmt::format("{}", value));
}

void Violations::check_size(const Shape& shape, std::size_t size) {
  if (!shape.limits) return;
  const auto count = static_cast<double>(size);
  const bool below = shape.limits->min && count < *shape.limits->min;
  if (!below && !(shape.limits->max && count > *shape.limits->max)) return;
  add(Violation::Kind::kSize, below, shape, {});
}

void Violations::add(Violation::Kind kind, bool below, const Shape& shape, std::string value) {
  if (found_.size() >= kMaxViolations) return;
  Violation violation{kind, below, path(), {}, {}, {}, &shape};
  if (!shape.sensitive) violation.value = shown(value);
  for (const auto& step : path_) {
    if (step.index == 0) violation.member = step.name;
    if (step.parent) violation.parent = step.parent->name;
  }
  found_.push_back(std::move(violation));
}

std::string Violations::path() const {
  std::string text;
  for (const auto& step : path_) {
    if (!text.empty()) text += '.';
    if (step.index) {
      text += fmt::format("{}.member", step.index);
    } else {
      text += step.name;
    }
  }
  return text;
}

}  // namespace sampan::aws
