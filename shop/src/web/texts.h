// Every word of the shop's own on its pages, in both languages, by key. What a product is called comes from
// the database.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/language.h"

namespace shop::web {

struct TextRow {
  std::string_view key, vi, en;
};
std::span<const TextRow> texts();
// The key itself when there is no such text: a missing one is seen at once.
std::string_view text(std::string_view key, core::Language language);

}  // namespace shop::web
