// Shapes at run time: what each generated type is made of, as constant tables. The codecs (JSON, Query, XML),
// the validation and operator== are written once, without templates, and walk these tables; so one more shape
// costs a table and not one more instance of every codec.
//
// Not a public way to work with values: handlers use the generated structs' members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::aws {

enum class Kind : std::uint8_t {
  kBoolean,    // bool
  kInteger,    // int
  kLong,       // std::int64_t
  kFloat,      // float
  kDouble,     // double
  kString,     // std::string, enumerations too
  kBlob,       // std::string, raw bytes
  kTimestamp,  // core::TimePoint
  kDocument,   // boost::json::value
  kList,       // std::vector
  kMap,        // std::map<std::string, V>
  kStructure,
};

// How to reach the T inside an optional (std::optional<T> or Box<T>) without knowing T.
struct OptionalAccess {
  const void* (*get)(const void* optional);  // nullptr when absent
  void* (*emplace)(void* optional);          // a fresh T
};

struct ListAccess {
  std::size_t (*size)(const void* list);
  const void* (*at)(const void* list, std::size_t index);
  void* (*append)(void* list);  // a fresh element at the end
  void (*reserve)(void* list, std::size_t count);
};

struct MapAccess {
  using Visitor = void (*)(void* context, const std::string& key, const void* value);
  std::size_t (*size)(const void* map);
  void (*visit)(const void* map, void* context, Visitor visitor);  // in key order
  const void* (*find)(const void* map, const std::string& key);    // nullptr when absent
  void* (*insert)(void* map, std::string key);                     // a fresh value, or the one that is there
};

struct Shape;

struct Member {
  std::string_view name;   // the model's: how messages call it
  std::string_view wire;   // in JSON and XML answers
  std::string_view query;  // in Query and EC2 requests
  const Shape* shape;
  const OptionalAccess* optional;  // nullptr: the member is a plain T, required
  std::uint32_t offset;
};

struct Limits {
  std::optional<double> min;  // length, size or value
  std::optional<double> max;
  std::string_view pattern;                  // as in the model; empty: none
  std::span<const std::string_view> values;  // of an enumeration, in the model's order; empty: not one
};

struct Shape {
  Kind kind;
  bool sensitive = false;  // never shown in a log or a message
  bool flattened = false;  // list: no element around its items in XML, no ".member" in Query
  std::string_view name;
  std::string_view item = {};      // list: the wire's name of one item ("member")
  const Limits* limits = nullptr;  // nullptr: anything goes
  const Shape* element = nullptr;  // list's item, map's value
  const Shape* key = nullptr;      // map's key
  const ListAccess* list = nullptr;
  const MapAccess* map = nullptr;
  std::span<const Member> members = {};
};

// A value on the heap that copies as a value: for a structure that contains itself. Empty or one T.
template <class T>
class Box {
 public:
  Box() = default;
  Box(T value) : held_(std::make_unique<T>(std::move(value))) {}  // NOLINT: as std::optional does
  Box(const Box& other) : held_(other.held_ ? std::make_unique<T>(*other.held_) : nullptr) {}
  Box(Box&&) noexcept = default;
  Box& operator=(Box other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }
  bool has_value() const { return held_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  T& operator*() { return *held_; }
  const T& operator*() const { return *held_; }
  T* operator->() { return held_.get(); }
  const T* operator->() const { return held_.get(); }
  T& emplace() { return *(held_ = std::make_unique<T>()); }

 private:
  std::unique_ptr<T> held_;
};

// The tables' entries for C++ types. One instance a type in the whole program.
template <class Optional>
inline constexpr OptionalAccess kOptionalAccess = {
    [](const void* optional) -> const void* {
      const auto& self = *static_cast<const Optional*>(optional);
      return self.has_value() ? &*self : nullptr;
    },
    [](void* optional) -> void* { return &static_cast<Optional*>(optional)->emplace(); },
};

template <class T>
inline constexpr ListAccess kListAccess = {
    [](const void* list) { return static_cast<const std::vector<T>*>(list)->size(); },
    [](const void* list, std::size_t index) -> const void* {
      return static_cast<const std::vector<T>*>(list)->data() + index;
    },
    [](void* list) -> void* { return &static_cast<std::vector<T>*>(list)->emplace_back(); },
    [](void* list, std::size_t count) { static_cast<std::vector<T>*>(list)->reserve(count); },
};

template <class V>
inline constexpr MapAccess kMapAccess = {
    [](const void* map) { return static_cast<const std::map<std::string, V>*>(map)->size(); },
    [](const void* map, void* context, MapAccess::Visitor visitor) {
      for (const auto& [key, value] : *static_cast<const std::map<std::string, V>*>(map)) {
        visitor(context, key, &value);
      }
    },
    [](const void* map, const std::string& key) -> const void* {
      const auto& self = *static_cast<const std::map<std::string, V>*>(map);
      auto found = self.find(key);
      return found == self.end() ? nullptr : &found->second;
    },
    [](void* map, std::string key) -> void* {
      return &(*static_cast<std::map<std::string, V>*>(map))[std::move(key)];
    },
};

// A generated structure.
template <class T>
concept Shaped = requires {
  { T::kShape } -> std::same_as<const Shape&>;
};

// Deep equality of two values of one shape.
bool equal(const Shape& shape, const void* a, const void* b);

// The member's value inside `structure`, or nullptr when it is absent.
inline const void* get(const Member& member, const void* structure) {
  const void* place = static_cast<const char*>(structure) + member.offset;
  return member.optional ? member.optional->get(place) : place;
}
// Makes the member present and gives its place.
inline void* emplace(const Member& member, void* structure) {
  void* place = static_cast<char*>(structure) + member.offset;
  return member.optional ? member.optional->emplace(place) : place;
}
const Member* find_member(const Shape& shape, std::string_view wire);

}  // namespace sampan::aws
