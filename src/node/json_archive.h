// Reads and writes plain structs as JSON through one list of their fields: `fields(archive, value)` is
// called with either archive. For our own files only: what is absent keeps its default, what has another
// type throws core::Error.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/error.h"

namespace sampan::node {

template <class Archive, class T>
concept HasFields = requires(Archive& archive, T& value) { fields(archive, value); };

class JsonWriter {
 public:
  template <class T>
  void operator()(std::string_view name, T& value) {
    object_[name] = write(value);
  }
  boost::json::object take() { return std::move(object_); }

  static boost::json::value write(const std::string& value) { return boost::json::string(value); }
  static boost::json::value write(bool value) { return value; }
  static boost::json::value write(std::int64_t value) { return value; }
  static boost::json::value write(std::uint64_t value) { return value; }
  static boost::json::value write(std::uint32_t value) { return value; }
  static boost::json::value write(int value) { return value; }
  static boost::json::value write(core::TimePoint value) { return value.time_since_epoch().count(); }
  template <class T>
    requires std::is_enum_v<T>
  static boost::json::value write(T value) {
    return static_cast<int>(value);
  }
  template <class T>
  static boost::json::value write(std::optional<T>& value) {
    return value ? write(*value) : boost::json::value(nullptr);
  }
  template <class T>
  static boost::json::value write(std::vector<T>& list) {
    boost::json::array array;
    for (auto& item : list) array.push_back(write(item));
    return array;
  }
  template <class A, class B>
  static boost::json::value write(std::pair<A, B>& pair) {
    boost::json::array array;
    array.push_back(write(pair.first));
    array.push_back(write(pair.second));
    return array;
  }
  static boost::json::value write(std::map<std::string, std::string>& map) {
    boost::json::object object;
    for (auto& [key, value] : map) object[key] = value;
    return object;
  }
  template <class T>
    requires HasFields<JsonWriter, T>
  static boost::json::value write(T& value) {
    JsonWriter inner;
    fields(inner, value);
    return inner.take();
  }

 private:
  boost::json::object object_;
};

class JsonReader {
 public:
  explicit JsonReader(const boost::json::object& object) : object_(object) {}
  template <class T>
  void operator()(std::string_view name, T& value) {
    const auto* found = object_.if_contains(name);
    if (!found) return;
    try {
      read(*found, value);
    } catch (const std::exception& error) {  // boost::json throws several types
      throw core::Error(std::string("read member ") + std::string(name), error.what());
    }
  }

  static void read(const boost::json::value& from, std::string& to) { to = std::string(from.as_string()); }
  static void read(const boost::json::value& from, bool& to) { to = from.as_bool(); }
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  static void read(const boost::json::value& from, T& to) {
    to = from.to_number<T>();
  }
  static void read(const boost::json::value& from, core::TimePoint& to) {
    to = core::TimePoint(core::Millis(from.to_number<std::int64_t>()));
  }
  template <class T>
    requires std::is_enum_v<T>
  static void read(const boost::json::value& from, T& to) {
    to = static_cast<T>(from.to_number<int>());
  }
  template <class T>
  static void read(const boost::json::value& from, std::optional<T>& to) {
    to.reset();
    if (from.is_null()) return;
    T value{};
    read(from, value);
    to = std::move(value);
  }
  template <class T>
  static void read(const boost::json::value& from, std::vector<T>& to) {
    to.clear();
    for (const auto& item : from.as_array()) {
      T value{};
      read(item, value);
      to.push_back(std::move(value));
    }
  }
  template <class A, class B>
  static void read(const boost::json::value& from, std::pair<A, B>& to) {
    read(from.as_array().at(0), to.first);
    read(from.as_array().at(1), to.second);
  }
  static void read(const boost::json::value& from, std::map<std::string, std::string>& to) {
    to.clear();
    for (const auto& item : from.as_object())
      to[std::string(item.key())] = std::string(item.value().as_string());
  }
  template <class T>
    requires HasFields<JsonReader, T>
  static void read(const boost::json::value& from, T& to) {
    JsonReader inner(from.as_object());
    fields(inner, to);
  }

 private:
  const boost::json::object& object_;
};

}  // namespace sampan::node
