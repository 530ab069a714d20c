#include "pricing/price.h"

namespace shop::pricing {

PriceParts price(const Priced& piece) {
  PriceParts parts;
  parts.metal = core::share(piece.sell_per_chi, piece.weight.count(), core::kChi.count());
  parts.making = piece.making_charge;
  parts.stones = piece.stones;
  parts.vat = core::share(piece.making_charge + piece.stones, kVatPercent, 100);
  const auto exact = parts.metal + parts.making + parts.stones + parts.vat;
  parts.total = core::to_thousands(exact);
  parts.rounding = parts.total - exact;
  return parts;
}

}  // namespace shop::pricing
