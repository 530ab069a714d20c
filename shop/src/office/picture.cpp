#include "office/picture.h"

#include <Poco/Checksum.h>

#include <array>
#include <cstdint>
#include <optional>

#include "core/error.h"

namespace shop::office {
namespace {

using core::Refusal;

[[noreturn]] void refuse(const char* code) {
  throw Refusal(Refusal::Kind::kInvalid, code);
}

// Reads forward; whatever is not there is a damaged file.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  std::string_view take(std::size_t count) {
    if (count > text_.size()) refuse("bad_picture");
    const auto part = text_.substr(0, count);
    text_.remove_prefix(count);
    return part;
  }
  std::uint32_t big(int bytes) {
    std::uint32_t number = 0;
    for (const char byte : take(static_cast<std::size_t>(bytes)))
      number = number << 8 | static_cast<unsigned char>(byte);
    return number;
  }
  std::uint32_t little(int bytes) {
    std::uint32_t number = 0;
    int shift = 0;
    for (const char byte : take(static_cast<std::size_t>(bytes))) {
      number |= static_cast<std::uint32_t>(static_cast<unsigned char>(byte)) << shift;
      shift += 8;
    }
    return number;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

void check_size(std::uint32_t width, std::uint32_t height) {
  if (width == 0 || height == 0) refuse("bad_picture");
  if (width > kWidestPicture || height > kWidestPicture ||
      std::uint64_t{width} * height > static_cast<std::uint64_t>(kMostPixels))
    refuse("picture_too_large");
}

void append_little(std::string& text, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) text.push_back(static_cast<char>(number >> shift & 0xFF));
}

// PNG (ISO 15948): a signature, then chunks of length, type, data and checksum, from IHDR to IEND.
constexpr std::string_view kPng("\x89PNG\r\n\x1A\n", 8);

bool is_kept_chunk(std::string_view type) {
  constexpr std::array<std::string_view, 10> kKept{"IHDR", "PLTE", "IDAT", "IEND", "tRNS",
                                                   "gAMA", "cHRM", "sRGB", "iCCP", "pHYs"};
  for (const auto kept : kKept) {
    if (kept == type) return true;
  }
  return false;
}

Picture read_png(std::string_view file) {
  Reader reader(file);
  reader.take(kPng.size());
  Picture picture{"image/png", 0, 0, std::string(kPng)};
  bool has_data = false;
  while (true) {
    const auto start = reader.rest();
    const auto length = reader.big(4);
    if (length > kLargestPicture) refuse("bad_picture");
    const auto type = reader.take(4);
    const auto data = reader.take(length);
    Poco::Checksum sum;
    sum.update(start.data() + 4, length + 4);
    if (sum.checksum() != reader.big(4)) refuse("bad_picture");
    const bool first = picture.width == 0;
    if (first != (type == "IHDR") || (type == "IHDR" && length != 13)) refuse("bad_picture");
    if (first) {
      Reader header(data);
      const auto width = header.big(4);
      const auto height = header.big(4);
      check_size(width, height);
      picture.width = static_cast<int>(width);
      picture.height = static_cast<int>(height);
    }
    // A chunk that decoders must understand and that is not known here is no PNG of today's.
    const bool critical = (static_cast<unsigned char>(type[0]) & 0x20) == 0;
    if (critical && !is_kept_chunk(type)) refuse("bad_picture");
    if (is_kept_chunk(type)) picture.bytes.append(start.substr(0, length + 12));
    has_data = has_data || (type == "IDAT" && length > 0);
    if (type == "IEND") break;
  }
  if (!has_data) refuse("bad_picture");
  return picture;
}

// JPEG (ITU T.81): segments of a marker and a length; after a scan's header its coded data up to the next
// marker.
bool is_frame(unsigned marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

// JFIF, colour profile, Adobe's colour transform: what the picture looks different without.
bool is_kept_segment(unsigned marker) {
  if (marker == 0xFE) return false;
  return marker < 0xE0 || marker > 0xEF || marker == 0xE0 || marker == 0xE2 || marker == 0xEE;
}

// Coded data: a marker is FF and something else than 00 (a stuffed FF) or D0–D7 (restarts).
std::string_view scan_data(std::string_view text) {
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    const auto next = static_cast<unsigned char>(text[at + 1]);
    if (static_cast<unsigned char>(text[at]) == 0xFF && next != 0 && next != 0xFF &&
        (next < 0xD0 || next > 0xD7))
      return text.substr(0, at);
  }
  refuse("bad_picture");
}

Picture read_jpeg(std::string_view file) {
  Reader reader(file);
  Picture picture{"image/jpeg", 0, 0, std::string(reader.take(2))};
  bool scanned = false;
  while (true) {
    if (reader.big(1) != 0xFF) refuse("bad_picture");
    auto marker = reader.big(1);
    while (marker == 0xFF) marker = reader.big(1);  // fill bytes
    if (marker == 0xD9) break;
    if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD8)) refuse("bad_picture");
    const auto length = reader.big(2);
    if (length < 2) refuse("bad_picture");
    const auto data = reader.take(length - 2);
    if (is_frame(marker)) {
      if (picture.width != 0 || data.size() < 6) refuse("bad_picture");
      Reader frame(data);
      frame.big(1);
      const auto height = frame.big(2);
      const auto width = frame.big(2);
      check_size(width, height);
      picture.width = static_cast<int>(width);
      picture.height = static_cast<int>(height);
    }
    if (is_kept_segment(marker)) {
      picture.bytes += {'\xFF', static_cast<char>(marker), static_cast<char>(length >> 8),
                        static_cast<char>(length & 0xFF)};
      picture.bytes.append(data);
    }
    if (marker != 0xDA) continue;
    const auto coded = reader.take(scan_data(reader.rest()).size());
    if (picture.width == 0 || coded.empty()) refuse("bad_picture");
    picture.bytes.append(coded);
    scanned = true;
  }
  if (!scanned) refuse("bad_picture");
  picture.bytes += "\xFF\xD9";
  return picture;
}

// WebP (RFC 9649): RIFF, its size, "WEBP", then chunks of a name, a size and data, padded to even.
struct Size {
  std::uint32_t width, height;
};

std::optional<Size> webp_size(std::string_view type, std::string_view data) {
  Reader reader(data);
  if (type == "VP8 ") {
    const auto tag = reader.little(3);
    if ((tag & 1) != 0 || reader.take(3) != "\x9D\x01\x2A")
      refuse("bad_picture");  // a key frame's start code
    const auto width = reader.little(2) & 0x3FFF;
    const auto height = reader.little(2) & 0x3FFF;
    return Size{width, height};
  }
  if (type != "VP8L") return std::nullopt;
  if (reader.big(1) != 0x2F) refuse("bad_picture");
  const auto bits = reader.little(4);
  if (bits >> 29 != 0) refuse("bad_picture");
  return Size{(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1};
}

Picture read_webp(std::string_view file) {
  Reader header(file);
  header.take(4);
  const auto size = header.little(4);
  if (header.take(4) != "WEBP" || size < 4) refuse("bad_picture");
  Reader reader(header.take(size - 4));
  std::string kept;
  std::optional<Size> found;
  while (!reader.done()) {
    const auto type = reader.take(4);
    const auto length = reader.little(4);
    const auto data = reader.take(length);
    const bool padded = length % 2 == 1;
    if (padded) reader.take(1);
    if (type == "ANIM" || type == "ANMF") refuse("bad_picture");  // one picture, not a film
    if (type != "VP8 " && type != "VP8L" && type != "VP8X" && type != "ALPH" && type != "ICCP") continue;
    kept.append(type);
    append_little(kept, length);
    kept.append(data);
    if (padded) kept.push_back('\0');
    if (type == "VP8X") {
      if (length != 10) refuse("bad_picture");
      kept[kept.size() - 10] =
          static_cast<char>(data[0] & 0x30);  // alpha and colour profile; EXIF and XMP are gone
    }
    if (const auto here = webp_size(type, data)) {
      if (found) refuse("bad_picture");
      found = here;
    }
  }
  if (!found) refuse("bad_picture");
  check_size(found->width, found->height);
  Picture picture{"image/webp", static_cast<int>(found->width), static_cast<int>(found->height), "RIFF"};
  append_little(picture.bytes, static_cast<std::uint32_t>(kept.size() + 4));
  picture.bytes += "WEBP" + kept;
  return picture;
}

}  // namespace

Picture read_picture(std::string_view file) {
  if (file.size() > kLargestPicture) refuse("picture_too_large");
  if (file.starts_with(kPng)) return read_png(file);
  if (file.starts_with("\xFF\xD8\xFF")) return read_jpeg(file);
  if (file.starts_with("RIFF") && file.substr(std::min<std::size_t>(8, file.size())).starts_with("WEBP"))
    return read_webp(file);
  refuse("bad_picture");
}

}  // namespace shop::office
