#include "aws/shape.h"

#include <boost/json/value.hpp>

#include "core/clock.h"

namespace sampan::aws {
namespace {

template <class T>
bool same(const void* a, const void* b) {
  return *static_cast<const T*>(a) == *static_cast<const T*>(b);
}

bool same_lists(const Shape& shape, const void* a, const void* b) {
  const auto size = shape.list->size(a);
  if (size != shape.list->size(b)) return false;
  for (std::size_t i = 0; i < size; ++i) {
    if (!equal(*shape.element, shape.list->at(a, i), shape.list->at(b, i))) return false;
  }
  return true;
}

bool same_maps(const Shape& shape, const void* a, const void* b) {
  if (shape.map->size(a) != shape.map->size(b)) return false;
  struct Context {
    const Shape& shape;
    const void* other;
    bool same = true;
  } context{shape, b};
  shape.map->visit(a, &context, [](void* opaque, const std::string& key, const void* value) {
    auto& self = *static_cast<Context*>(opaque);
    const void* other = self.shape.map->find(self.other, key);
    if (!other || !equal(*self.shape.element, value, other)) self.same = false;
  });
  return context.same;
}

bool same_structures(const Shape& shape, const void* a, const void* b) {
  for (const auto& member : shape.members) {
    const void* left = get(member, a);
    const void* right = get(member, b);
    if (!left != !right) return false;
    if (left && !equal(*member.shape, left, right)) return false;
  }
  return true;
}

}  // namespace

bool equal(const Shape& shape, const void* a, const void* b) {
  switch (shape.kind) {
    case Kind::kBoolean:
      return same<bool>(a, b);
    case Kind::kInteger:
      return same<int>(a, b);
    case Kind::kLong:
      return same<std::int64_t>(a, b);
    case Kind::kFloat:
      return same<float>(a, b);
    case Kind::kDouble:
      return same<double>(a, b);
    case Kind::kString:
    case Kind::kBlob:
      return same<std::string>(a, b);
    case Kind::kTimestamp:
      return same<core::TimePoint>(a, b);
    case Kind::kDocument:
      return same<boost::json::value>(a, b);
    case Kind::kList:
      return same_lists(shape, a, b);
    case Kind::kMap:
      return same_maps(shape, a, b);
    case Kind::kStructure:
      return same_structures(shape, a, b);
  }
  return false;
}

const Member* find_member(const Shape& shape, std::string_view wire) {
  for (const auto& member : shape.members) {
    if (member.wire == wire) return &member;
  }
  return nullptr;
}

}  // namespace sampan::aws
