// Money is whole đồng: no fraction exists, so no floating point does either. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "core/language.h"

namespace shop::core {

class Dong {
 public:
  constexpr Dong() = default;
  constexpr explicit Dong(std::int64_t amount) : amount_(amount) {}
  constexpr std::int64_t amount() const { return amount_; }
  constexpr auto operator<=>(const Dong&) const = default;

  // All throw std::overflow_error rather than wrap.
  Dong operator+(Dong other) const;
  Dong operator-(Dong other) const;
  Dong operator*(std::int64_t count) const;
  Dong& operator+=(Dong other) { return *this = *this + other; }

 private:
  std::int64_t amount_ = 0;
};

// amount × part / whole, half away from zero. `whole` > 0.
Dong share(Dong amount, std::int64_t part, std::int64_t whole);
// To the nearest 1,000 ₫, half up: what a price tag shows.
Dong to_thousands(Dong amount);

// "12.345.000 ₫" in Vietnamese, "₫12,345,000" in English.
std::string format(Dong amount, Language language);
std::string format_number(std::int64_t number, Language language);

}  // namespace shop::core
