// Weights of metal, in whole milligrams; shown in grams and in the trade's own units. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "core/language.h"

namespace shop::core {

class Milligrams {
 public:
  constexpr Milligrams() = default;
  constexpr explicit Milligrams(std::int64_t count) : count_(count) {}
  constexpr std::int64_t count() const { return count_; }
  constexpr auto operator<=>(const Milligrams&) const = default;

 private:
  std::int64_t count_ = 0;
};

inline constexpr Milligrams kChi{3'750};     // 1 chỉ
inline constexpr Milligrams kLuong{37'500};  // 1 lượng, 10 chỉ

// "3,75 g" in Vietnamese, "3.75 g" in English.
std::string format_grams(Milligrams weight, Language language);
// "1 chỉ", "0,53 chỉ": two decimals at most, half up.
std::string format_chi(Milligrams weight, Language language);

}  // namespace shop::core
