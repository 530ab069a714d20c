#include "aws/query_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "aws/json_codec.h"
#include "aws/time_text.h"
#include "aws/violations.h"
#include "core/encoding.h"
#include "core/text.h"

namespace sampan::aws {
namespace {

constexpr std::size_t kMaxIndexDigits = 6;

// A key being built: what was appended goes again with the object.
class Extended {
 public:
  Extended(std::string& key, std::string_view part) : key_(key), length_(key.size()) {
    if (!key_.empty()) key_ += '.';
    key_ += part;
  }
  ~Extended() { key_.resize(length_); }
  Extended(const Extended&) = delete;
  Extended& operator=(const Extended&) = delete;

 private:
  std::string& key_;
  std::size_t length_;
};

class Decoder {
 public:
  Decoder(Protocol protocol, const Form& form, Violations* violations)
      : protocol_(protocol), form_(form), violations_(violations) {}

  void structure(const Shape& shape, void* out) {
    if (++depth_ > kMaxDepth) throw SerializationError("the parameters are nested too deeply");
    for (const auto& member : shape.members) {
      Extended extended(key_, member.query);
      const auto name = protocol_ == Protocol::kEc2 ? member.query : member.name;
      if (!present()) {
        if (violations_ && !member.optional) violations_->missing(shape, member, name);
        continue;
      }
      Violations::Scope scope(violations_, name, 0, &shape);
      read(*member.shape, emplace(member, out));
    }
    --depth_;
  }

 private:
  bool present() { return form_.find(key_) || !form_.under(key_ + '.').empty(); }

  void read(const Shape& shape, void* out) {
    if (shape.kind == Kind::kList) return list(shape, out);
    if (shape.kind == Kind::kMap) return map(shape, out);
    if (shape.kind == Kind::kStructure) return structure(shape, out);
    const auto* text = form_.find(key_);
    if (!text) refuse("is not a structure or a list", {});
    scalar(shape, *text, out);
  }

  void scalar(const Shape& shape, const std::string& text, void* out) {
    switch (shape.kind) {
      case Kind::kBoolean:
        *static_cast<bool*>(out) = boolean(text);
        return;
      case Kind::kInteger:
        *static_cast<int*>(out) = number<int>(shape, text);
        return;
      case Kind::kLong:
        *static_cast<std::int64_t*>(out) = number<std::int64_t>(shape, text);
        return;
      case Kind::kFloat:
        *static_cast<float*>(out) = number<float>(shape, text);
        return;
      case Kind::kDouble:
        *static_cast<double*>(out) = number<double>(shape, text);
        return;
      case Kind::kBlob:
        return blob(shape, text, out);
      case Kind::kTimestamp:
        *static_cast<core::TimePoint*>(out) = time(text);
        return;
      case Kind::kString:
        if (violations_) violations_->check_string(shape, text);
        *static_cast<std::string*>(out) = text;
        return;
      default:
        refuse("cannot be given as text", text);
    }
  }

  bool boolean(const std::string& text) {
    if (core::equal_ignoring_case(text, "true") || text == "1") return true;
    if (core::equal_ignoring_case(text, "false") || text == "0") return false;
    refuse("must be true or false", text);
  }

  template <class T>
  T number(const Shape& shape, const std::string& text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) refuse("is out of range", text);
    if (error != std::errc() || end != text.data() + text.size()) refuse("must be a number", text);
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) refuse("must be a number", text);
    }
    if (violations_) violations_->check_number(shape, static_cast<double>(value));
    return value;
  }

  void blob(const Shape& shape, const std::string& text, void* out) {
    auto bytes = core::from_base64(text);
    if (!bytes) refuse("must be base64", text);
    if (violations_) violations_->check_string(shape, *bytes);
    *static_cast<std::string*>(out) = std::move(*bytes);
  }

  core::TimePoint time(const std::string& text) {
    auto value = parse_iso8601(text);
    if (!value) value = parse_epoch_seconds(text);
    if (!value) refuse("must be a date like 2026-11-22T23:16:42Z", text);
    return *value;
  }

  // The numbers N of "key.N" and "key.N.…", in order, without repetition. Gaps are allowed, as AWS allows
  // them.
  std::vector<int> indices() {
    std::vector<int> found;
    const auto prefix = key_ + '.';
    for (const auto& [key, value] : form_.under(prefix)) {
      const auto rest = std::string_view(key).substr(prefix.size());
      const auto digits = rest.substr(0, rest.find('.'));
      int index = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
      const bool whole = error == std::errc() && end == digits.data() + digits.size();
      const bool padded = digits.size() > 1 && digits[0] == '0';
      if (!whole || padded || index < 0 || digits.size() > kMaxIndexDigits) continue;
      if (found.empty() || found.back() != index) found.push_back(index);
    }
    std::ranges::sort(found);
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  bool flat(const Shape& shape) const { return protocol_ == Protocol::kEc2 || shape.flattened; }

  void list(const Shape& shape, void* out) {
    std::optional<Extended> extended;
    if (!flat(shape)) extended.emplace(key_, shape.item);
    const auto numbers = indices();
    if (violations_) violations_->check_size(shape, numbers.size());
    shape.list->reserve(out, numbers.size());
    std::size_t position = 0;
    for (int number : numbers) {
      Extended item(key_, std::to_string(number));
      Violations::Scope scope(violations_, {}, ++position);
      read(*shape.element, shape.list->append(out));
    }
  }

  void map(const Shape& shape, void* out) {
    std::optional<Extended> extended;
    if (!flat(shape)) extended.emplace(key_, "entry");
    const auto numbers = indices();
    if (violations_) violations_->check_size(shape, numbers.size());
    for (int number : numbers) {
      Extended item(key_, std::to_string(number));
      const auto* key = form_.find(key_ + ".key");
      if (!key) refuse("has no key", {});
      Violations::Scope scope(violations_, *key);
      if (violations_) violations_->check_string(*shape.key, *key);
      Extended value(key_, "value");
      if (present()) read(*shape.element, shape.map->insert(out, *key));
    }
  }

  [[noreturn]] void refuse(std::string_view why, std::string_view value) const {
    if (value.empty()) throw SerializationError(fmt::format("Parameter {} {}", key_, why));
    throw SerializationError(fmt::format("Value ({}) for parameter {} {}", value.substr(0, 256), key_, why));
  }

  Protocol protocol_;
  const Form& form_;
  Violations* violations_;
  std::string key_;
  std::size_t depth_ = 0;
};

// ---- the client's side
// ---------------------------------------------------------------------------------------

class Encoder {
 public:
  Encoder(Protocol protocol, std::string& out) : protocol_(protocol), out_(out) {}

  void pair(std::string_view key, std::string_view value) {
    if (!out_.empty()) out_ += '&';
    out_ += core::percent_encode(key);
    out_ += '=';
    out_ += core::percent_encode(value);
  }

  void write(const Shape& shape, const void* value) {
    switch (shape.kind) {
      case Kind::kBoolean:
        return pair(key_, *static_cast<const bool*>(value) ? "true" : "false");
      case Kind::kInteger:
        return pair(key_, fmt::to_string(*static_cast<const int*>(value)));
      case Kind::kLong:
        return pair(key_, fmt::to_string(*static_cast<const std::int64_t*>(value)));
      case Kind::kFloat:
        return pair(key_, fmt::to_string(*static_cast<const float*>(value)));
      case Kind::kDouble:
        return pair(key_, fmt::to_string(*static_cast<const double*>(value)));
      case Kind::kString:
        return pair(key_, *static_cast<const std::string*>(value));
      case Kind::kBlob:
        return pair(key_, core::to_base64(*static_cast<const std::string*>(value)));
      case Kind::kTimestamp:
        return pair(key_, core::to_iso8601(*static_cast<const core::TimePoint*>(value)));
      case Kind::kDocument:
        return;  // no Query API has one
      case Kind::kList:
        return list(shape, value);
      case Kind::kMap:
        return map(shape, value);
      case Kind::kStructure:
        return structure(shape, value);
    }
  }

 private:
  bool flat(const Shape& shape) const { return protocol_ == Protocol::kEc2 || shape.flattened; }

  void structure(const Shape& shape, const void* value) {
    for (const auto& member : shape.members) {
      const void* inner = get(member, value);
      if (!inner) continue;
      Extended extended(key_, member.query);
      write(*member.shape, inner);
    }
  }

  void list(const Shape& shape, const void* value) {
    const auto size = shape.list->size(value);
    if (size == 0 && !flat(shape)) return pair(key_, {});
    std::optional<Extended> extended;
    if (!flat(shape)) extended.emplace(key_, shape.item);
    for (std::size_t i = 0; i < size; ++i) {
      Extended item(key_, fmt::to_string(i + 1));
      write(*shape.element, shape.list->at(value, i));
    }
  }

  void map(const Shape& shape, const void* value) {
    struct Context {
      Encoder& self;
      const Shape& shape;
      std::size_t index = 0;
    } context{*this, shape};
    std::optional<Extended> extended;
    if (!flat(shape)) extended.emplace(key_, "entry");
    shape.map->visit(value, &context, [](void* opaque, const std::string& key, const void* inner) {
      auto& [self, shape, index] = *static_cast<Context*>(opaque);
      Extended item(self.key_, fmt::to_string(++index));
      self.pair(self.key_ + ".key", key);
      Extended named(self.key_, "value");
      self.write(*shape.element, inner);
    });
  }

  Protocol protocol_;
  std::string& out_;
  std::string key_;
};

}  // namespace

void decode_query(Protocol protocol, const Shape& shape, const Form& form, void* value,
                  Violations* violations) {
  Decoder(protocol, form, violations).structure(shape, value);
}

std::string encode_query(const ServiceModel& service, const Operation& operation, const void* input) {
  std::string out;
  Encoder encoder(service.protocol, out);
  encoder.pair("Action", operation.name);
  encoder.pair("Version", service.api_version);
  encoder.write(operation.input, input);
  return out;
}

}  // namespace sampan::aws
