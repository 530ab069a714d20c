// Text as people type it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shop::core {

// For searching without caring for diacritics or case: "Nhẫn Cưới" → "nhan cuoi". Takes composed and
// decomposed letters; what is no letter or digit becomes one space.
std::string fold(std::string_view utf8);
// "nhan-cuoi": a name for URLs.
std::string slug(std::string_view utf8);
std::vector<std::string> words(std::string_view folded);
bool valid_utf8(std::string_view text);

}  // namespace shop::core
