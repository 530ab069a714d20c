// Every word of the shop's own on its pages, in both languages, by key. What a product is called comes from
// the database.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/language.h"

namespace shop::web {

struct TextRow {
  std::string_view key, vi, en;
};
// One table a part of the shop: texts_<part>.cpp.
std::span<const TextRow> window_texts();
std::span<const TextRow> buying_texts();
const std::vector<TextRow>& texts();  // all of them
// The key itself when there is no such text: a missing one is seen at once.
std::string_view text(std::string_view key, core::Language language);

}  // namespace shop::web
