// Is it a picture? Decided by the bytes: the whole structure of a PNG, JPEG or WebP file is walked and
// written anew, without anything that does not belong to the picture (places and cameras in EXIF, comments,
// text, whatever hangs on behind its end). Nothing is decoded. Pure.
#pragma once

#include <string>
#include <string_view>

namespace shop::office {

inline constexpr std::size_t kLargestPicture = 4 * 1024 * 1024;  // bytes
inline constexpr int kWidestPicture = 6000;                      // pixels a side
inline constexpr int kMostPixels = 24'000'000;                   // decoded: under 100 MB

struct Picture {
  std::string type;  // "image/png"
  int width = 0;
  int height = 0;
  std::string bytes;
};

// Throws core::Refusal: no such picture, damaged, too large, too many pixels.
Picture read_picture(std::string_view file);

}  // namespace shop::office
