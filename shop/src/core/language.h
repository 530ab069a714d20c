// The two languages of the shop. Vietnamese comes first.
#pragma once

namespace shop::core {

enum class Language { kVietnamese, kEnglish };

}  // namespace shop::core
