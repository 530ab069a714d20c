#include "aws/xml_codec.h"

#include <fmt/format.h>

#include <charconv>
#include <pugixml.hpp>

#include "aws/json_codec.h"
#include "aws/time_text.h"
#include "core/encoding.h"

namespace sampan::aws {
namespace {

void open(std::string_view name, std::string& out) {
  out += '<';
  out += name;
  out += '>';
}

void close(std::string_view name, std::string& out) {
  out += "</";
  out += name;
  out += '>';
}

void element(std::string_view name, const Shape& shape, const void* value, std::string& out) {
  open(name, out);
  const auto inside = out.size();
  encode_xml(shape, value, out);
  if (out.size() != inside) return close(name, out);
  out.back() = '/';  // <LoadBalancers/>
  out += '>';
}

void write_map(const Shape& shape, const void* value, std::string& out) {
  struct Context {
    const Shape& shape;
    std::string& out;
  } context{shape, out};
  shape.map->visit(value, &context, [](void* opaque, const std::string& key, const void* item) {
    auto& [shape, out] = *static_cast<Context*>(opaque);
    out += "<entry><key>";
    append_xml_text(key, out);
    out += "</key>";
    element("value", *shape.element, item, out);
    out += "</entry>";
  });
}

void write_members(const Shape& shape, const void* value, std::string& out) {
  for (const auto& member : shape.members) {
    const void* inner = get(member, value);
    if (!inner) continue;
    if (member.shape->kind == Kind::kList && member.shape->flattened) {
      const auto& list = *member.shape;
      for (std::size_t i = 0; i < list.list->size(inner); ++i) {
        element(member.wire, *list.element, list.list->at(inner, i), out);
      }
    } else {
      element(member.wire, *member.shape, inner, out);
    }
  }
}

template <class T>
void append_number(const void* value, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}", *static_cast<const T*>(value));
}

// ---- the client's side
// ---------------------------------------------------------------------------------------

template <class T>
void read_number(std::string_view text, void* out) {
  auto& value = *static_cast<T*>(out);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw SerializationError(fmt::format("the answer has '{}' where a number belongs", text));
  }
}

void read_time(std::string_view text, void* out) {
  const auto time = parse_iso8601(text);
  if (!time) throw SerializationError(fmt::format("the answer has '{}' where a date belongs", text));
  *static_cast<core::TimePoint*>(out) = *time;
}

class Decoder {
 public:
  void read(const Shape& shape, const pugi::xml_node& node, void* out) {
    if (++depth_ > kMaxDepth) throw SerializationError("the answer is nested too deeply");
    const std::string_view text = node.child_value();
    switch (shape.kind) {
      case Kind::kBoolean:
        *static_cast<bool*>(out) = text == "true";
        break;
      case Kind::kInteger:
        read_number<int>(text, out);
        break;
      case Kind::kLong:
        read_number<std::int64_t>(text, out);
        break;
      case Kind::kFloat:
        read_number<float>(text, out);
        break;
      case Kind::kDouble:
        read_number<double>(text, out);
        break;
      case Kind::kString:
        *static_cast<std::string*>(out) = text;
        break;
      case Kind::kBlob:
        *static_cast<std::string*>(out) = core::from_base64(text).value_or("");
        break;
      case Kind::kTimestamp:
        read_time(text, out);
        break;
      case Kind::kDocument:
        break;  // no XML API has one
      case Kind::kList:
        for (const auto& item : node.children()) read(*shape.element, item, shape.list->append(out));
        break;
      case Kind::kMap:
        for (const auto& entry : node.children("entry")) {
          read(*shape.element, entry.child("value"),
               shape.map->insert(out, entry.child("key").child_value()));
        }
        break;
      case Kind::kStructure:
        members(shape, node, out);
        break;
    }
    --depth_;
  }

 private:
  void members(const Shape& shape, const pugi::xml_node& node, void* out) {
    for (const auto& member : shape.members) {
      const std::string name(member.wire);
      const auto child = node.child(name.c_str());
      if (!child) continue;
      void* place = emplace(member, out);
      if (member.shape->kind == Kind::kList && member.shape->flattened) {
        for (const auto& item : node.children(name.c_str())) {
          read(*member.shape->element, item, member.shape->list->append(place));
        }
      } else {
        read(*member.shape, child, place);
      }
    }
  }

  std::size_t depth_ = 0;
};

}  // namespace

void append_xml_text(std::string_view text, std::string& out) {
  std::size_t clean = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string_view instead;
    switch (const auto c = static_cast<unsigned char>(text[i])) {
      case '<':
        instead = "&lt;";
        break;
      case '>':
        instead = "&gt;";
        break;
      case '&':
        instead = "&amp;";
        break;
      case '"':
        instead = "&quot;";
        break;
      case '\r':
        instead = "&#xD;";
        break;  // a reader would turn it into a line feed
      case '\t':
      case '\n':
        continue;
      default:
        if (c >= 0x20) continue;
        instead = "\xEF\xBF\xBD";
    }
    out.append(text, clean, i - clean);
    out += instead;
    clean = i + 1;
  }
  out.append(text, clean, text.size() - clean);
}

void encode_xml(const Shape& shape, const void* value, std::string& out) {
  switch (shape.kind) {
    case Kind::kBoolean:
      out += *static_cast<const bool*>(value) ? "true" : "false";
      return;
    case Kind::kInteger:
      return append_number<int>(value, out);
    case Kind::kLong:
      return append_number<std::int64_t>(value, out);
    case Kind::kFloat:
      return append_number<float>(value, out);
    case Kind::kDouble:
      return append_number<double>(value, out);
    case Kind::kString:
      return append_xml_text(*static_cast<const std::string*>(value), out);
    case Kind::kBlob:
      out += core::to_base64(*static_cast<const std::string*>(value));
      return;
    case Kind::kTimestamp:
      out += core::to_iso8601(*static_cast<const core::TimePoint*>(value));
      return;
    case Kind::kDocument:
      return;  // no XML API has one
    case Kind::kList:
      for (std::size_t i = 0; i < shape.list->size(value); ++i) {
        element(shape.item, *shape.element, shape.list->at(value, i), out);
      }
      return;
    case Kind::kMap:
      return write_map(shape, value, out);
    case Kind::kStructure:
      return write_members(shape, value, out);
  }
}

void decode_xml(const Shape& shape, const pugi::xml_node& node, void* value) {
  Decoder().read(shape, node, value);
}

}  // namespace sampan::aws
