#include "aws/form.h"

#include <algorithm>

#include "core/encoding.h"

namespace sampan::aws {
namespace {

std::string decoded(std::string_view raw) {
  auto text = core::percent_decode(raw, true);
  if (!text) throw FormError("a % in the form is not followed by two hexadecimal digits");
  if (!is_valid_utf8(*text)) throw FormError("the form's text is not UTF-8");
  return std::move(*text);
}

bool key_before(const Form::Pair& pair, std::string_view key) {
  return pair.first < key;
}

}  // namespace

Form Form::parse(std::string_view body) {
  Form form;
  while (!body.empty()) {
    const auto end = std::min(body.find('&'), body.size());
    const auto part = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (part.empty()) continue;
    if (form.pairs_.size() >= kMaxPairs) throw FormError("the form has too many parameters");
    const auto equals = std::min(part.find('='), part.size());
    auto key = decoded(part.substr(0, equals));
    if (key.size() > kMaxKey) throw FormError("a parameter's name is too long");
    form.pairs_.emplace_back(std::move(key), decoded(part.substr(std::min(equals + 1, part.size()))));
  }
  std::ranges::sort(form.pairs_);
  return form;
}

const std::string* Form::find(std::string_view key) const {
  const auto found = std::lower_bound(pairs_.begin(), pairs_.end(), key, key_before);
  return found != pairs_.end() && found->first == key ? &found->second : nullptr;
}

std::span<const Form::Pair> Form::under(std::string_view prefix) const {
  const auto first = std::lower_bound(pairs_.begin(), pairs_.end(), prefix, key_before);
  const auto last = std::partition_point(first, pairs_.end(),
                                         [prefix](const Pair& p) { return p.first.starts_with(prefix); });
  return {first, last};
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return false;
    unsigned value = lead & (0x7F >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      value = value << 6 | (next & 0x3F);
    }
    const bool too_long = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    if (too_long || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
    i += length;
  }
  return true;
}

}  // namespace sampan::aws
