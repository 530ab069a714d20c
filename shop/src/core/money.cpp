#include "core/money.h"

#include <stdexcept>

namespace shop::core {
namespace {

[[noreturn]] void too_large() {
  throw std::overflow_error("an amount of money is too large");
}

}  // namespace

Dong Dong::operator+(Dong other) const {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(amount_, other.amount_, &sum)) too_large();
  return Dong(sum);
}

Dong Dong::operator-(Dong other) const {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(amount_, other.amount_, &difference)) too_large();
  return Dong(difference);
}

Dong Dong::operator*(std::int64_t count) const {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(amount_, count, &product)) too_large();
  return Dong(product);
}

Dong share(Dong amount, std::int64_t part, std::int64_t whole) {
  if (whole <= 0) throw std::invalid_argument("a share of nothing");
  const auto product = static_cast<__int128>(amount.amount()) * part;
  const auto half = static_cast<__int128>(whole) / 2;
  const auto rounded = (product >= 0 ? product + half : product - half) / whole;
  if (rounded > INT64_MAX || rounded < INT64_MIN) too_large();
  return Dong(static_cast<std::int64_t>(rounded));
}

Dong to_thousands(Dong amount) {
  return share(amount, 1, 1000) * 1000;
}

std::string format_number(std::int64_t number, Language language) {
  const char separator = language == Language::kVietnamese ? '.' : ',';
  auto digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, 1, separator);
  }
  return digits;
}

std::string format(Dong amount, Language language) {
  const auto number = format_number(amount.amount(), language);
  return language == Language::kVietnamese ? number + "\u00a0₫" : "₫" + number;
}

}  // namespace shop::core
