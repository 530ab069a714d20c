// What a piece costs, and why: metal at today's rate, making charge, stones, tax. Pure.
#pragma once

#include "core/money.h"
#include "core/weight.h"

namespace shop::pricing {

// Value-added tax on what is added to the metal (making and stones). The metal itself is taxed on the
// trader's margin (the direct method for gold, silver and gems), which is inside its selling rate.
inline constexpr int kVatPercent = 10;

struct PriceParts {
  core::Dong metal;
  core::Dong making;
  core::Dong stones;
  core::Dong vat;
  core::Dong rounding;  // what brings the sum to whole thousands: -499 to +500
  core::Dong total;     // exactly the sum of the others
  bool operator==(const PriceParts&) const = default;
};

struct Priced {
  core::Milligrams weight;
  core::Dong sell_per_chi;
  core::Dong making_charge;
  core::Dong stones;
};
PriceParts price(const Priced& piece);

}  // namespace shop::pricing
