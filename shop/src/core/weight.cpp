#include "core/weight.h"

#include "core/money.h"

namespace shop::core {
namespace {

// `units` of 10^-`decimals`, without zeros at the end.
std::string format_decimal(std::int64_t units, int decimals, Language language) {
  std::int64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  auto text = format_number(units / scale, language);
  auto fraction = std::to_string(units % scale);
  fraction.insert(0, static_cast<std::size_t>(decimals) - fraction.size(), '0');
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (fraction.empty()) return text;
  return text + (language == Language::kVietnamese ? ',' : '.') + fraction;
}

}  // namespace

std::string format_grams(Milligrams weight, Language language) {
  return format_decimal(weight.count(), 3, language) + " g";
}

std::string format_chi(Milligrams weight, Language language) {
  const auto hundredths = (weight.count() * 100 + kChi.count() / 2) / kChi.count();
  return format_decimal(hundredths, 2, language) + " chỉ";
}

}  // namespace shop::core
