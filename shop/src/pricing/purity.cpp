#include "pricing/purity.h"

#include <algorithm>
#include <array>

namespace shop::pricing {
namespace {

constexpr std::array kPurities{
    Purity{"gold-9999", Metal::kGold, 9999, "24K", "Vàng 24K (9999)", "24K gold (999.9)"},
    Purity{"gold-750", Metal::kGold, 750, "18K", "Vàng 18K (750)", "18K gold (750)"},
    Purity{"gold-585", Metal::kGold, 585, "14K", "Vàng 14K (585)", "14K gold (585)"},
    Purity{"gold-416", Metal::kGold, 416, "10K", "Vàng 10K (416)", "10K gold (416)"},
    Purity{"silver-925", Metal::kSilver, 925, "", "Bạc 925", "Sterling silver (925)"},
    Purity{"platinum-950", Metal::kPlatinum, 950, "", "Bạch kim 950", "Platinum (950)"},
};

struct MetalName {
  Metal metal;
  std::string_view code, vi, en;
};
constexpr std::array kMetals{
    MetalName{Metal::kGold, "gold", "Vàng", "Gold"},
    MetalName{Metal::kSilver, "silver", "Bạc", "Silver"},
    MetalName{Metal::kPlatinum, "platinum", "Bạch kim", "Platinum"},
};

const MetalName& words_of(Metal metal) {
  return *std::find_if(kMetals.begin(), kMetals.end(),
                       [metal](const MetalName& name) { return name.metal == metal; });
}

}  // namespace

std::span<const Purity> purities() {
  return kPurities;
}

const Purity* find_purity(std::string_view code) {
  const auto* found = std::find_if(kPurities.begin(), kPurities.end(),
                                   [&](const Purity& purity) { return purity.code == code; });
  return found == kPurities.end() ? nullptr : found;
}

std::string_view metal_code(Metal metal) {
  return words_of(metal).code;
}

std::string_view metal_name(Metal metal, core::Language language) {
  return language == core::Language::kVietnamese ? words_of(metal).vi : words_of(metal).en;
}

std::optional<Metal> find_metal(std::string_view code) {
  for (const auto& name : kMetals) {
    if (name.code == code) return name.metal;
  }
  return std::nullopt;
}

}  // namespace shop::pricing
