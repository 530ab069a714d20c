#include "web/texts.h"

#include <unordered_map>

namespace shop::web {

const std::vector<TextRow>& texts() {
  static const auto all = [] {
    std::vector<TextRow> rows;
    for (const auto& table : {window_texts(), buying_texts()})
      rows.insert(rows.end(), table.begin(), table.end());
    return rows;
  }();
  return all;
}

std::string_view text(std::string_view key, core::Language language) {
  static const auto by_key = [] {
    std::unordered_map<std::string_view, const TextRow*> map;
    for (const auto& row : texts()) map.emplace(row.key, &row);
    return map;
  }();
  const auto found = by_key.find(key);
  if (found == by_key.end()) return key;
  return language == core::Language::kVietnamese ? found->second->vi : found->second->en;
}

}  // namespace shop::web
