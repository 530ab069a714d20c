// The shop's own drawings of jewellery, as SVG: a design in a metal's colour with a stone. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace shop::art {

struct Jewel {
  std::string_view design;  // one of designs()
  std::string_view colour;  // yellow, white, rose
  std::string_view stone;   // diamond, ruby, …; "" for none
};

std::span<const std::string_view> designs();
// A square picture of 640 by 640. An unknown design or colour is drawn as the plainest there is.
std::string draw(const Jewel& jewel);

}  // namespace shop::art
