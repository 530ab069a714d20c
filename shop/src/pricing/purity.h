// The metals that are sold, by fineness. Pure.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/language.h"

namespace shop::pricing {

enum class Metal { kGold, kSilver, kPlatinum };

struct Purity {
  std::string_view code;  // "gold-750"
  Metal metal;
  int fineness;            // thousandths; 9999 for 999.9
  std::string_view karat;  // "18K", "" where the trade does not say it
  std::string_view name_vi;
  std::string_view name_en;

  std::string_view name(core::Language language) const {
    return language == core::Language::kVietnamese ? name_vi : name_en;
  }
};

std::span<const Purity> purities();
const Purity* find_purity(std::string_view code);
std::string_view metal_code(Metal metal);  // "gold"
std::string_view metal_name(Metal metal, core::Language language);
std::optional<Metal> find_metal(std::string_view code);

}  // namespace shop::pricing
