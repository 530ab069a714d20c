#include "image/tar_writer.h"

#include <fmt/core.h>

#include <array>
#include <cstring>

#include "core/error.h"

namespace sampan::image {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kLargestOctal11 = 077777777777;  // 8 GiB - 1
constexpr std::uint64_t kLargestOctal7 = 07777777;

using Block = std::array<char, kBlock>;

bool fits_ustar(std::string_view name, std::size_t field) {
  if (name.size() > field) return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

void put_text(Block& block, std::size_t offset, std::size_t field, std::string_view text) {
  std::memcpy(block.data() + offset, text.data(), std::min(field, text.size()));
}

// Octal digits and a NUL; what does not fit is 0 here and in a pax record.
void put_octal(Block& block, std::size_t offset, std::size_t field, std::uint64_t value) {
  const auto digits = fmt::format("{:0{}o}", value, field - 1);
  put_text(block, offset, field - 1, digits.size() < field ? digits : std::string(field - 1, '0'));
}

Block header(const TarEntry& entry, std::string_view name, char type, std::uint64_t size) {
  Block block{};
  put_text(block, 0, 100, name);
  put_octal(block, 100, 8, entry.mode & 07777);
  put_octal(block, 108, 8, entry.uid <= kLargestOctal7 ? entry.uid : 0);
  put_octal(block, 116, 8, entry.gid <= kLargestOctal7 ? entry.gid : 0);
  put_octal(block, 124, 12, size <= kLargestOctal11 ? size : 0);
  put_octal(block, 136, 12, entry.mtime >= 0 ? static_cast<std::uint64_t>(entry.mtime) : 0);
  block[156] = type;
  put_text(block, 157, 100, entry.link);
  put_text(block, 257, 8, std::string_view("ustar\00000", 8));
  put_octal(block, 329, 8, 0);
  put_octal(block, 337, 8, 0);
  std::memset(block.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_text(block, 148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return block;
}

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const auto rest = key.size() + value.size() + 3;
  auto length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  std::string record = fmt::format("{} {}=", length, key);
  record.append(value).push_back('\n');
  return record;
}

std::string pax_records(const TarEntry& entry, std::string_view name) {
  std::map<std::string, std::string> records;
  if (!fits_ustar(name, 100)) records["path"] = name;
  if (!fits_ustar(entry.link, 100)) records["linkpath"] = entry.link;
  if (entry.size > kLargestOctal11) records["size"] = std::to_string(entry.size);
  if (entry.uid > kLargestOctal7) records["uid"] = std::to_string(entry.uid);
  if (entry.gid > kLargestOctal7) records["gid"] = std::to_string(entry.gid);
  if (entry.mtime < 0) records["mtime"] = std::to_string(entry.mtime);
  for (const auto& [key, value] : entry.xattrs) records["SCHILY.xattr." + key] = value;
  std::string text;
  for (const auto& [key, value] : records) text += pax_record(key, value);
  return text;
}

}  // namespace

void TarWriter::begin(const TarEntry& entry) {
  const auto name = entry.type == '5' ? entry.path + '/' : entry.path;
  if (const auto records = pax_records(entry, name); !records.empty()) {
    TarEntry extension;
    extension.mode = 0644;
    sink_(header(extension, "PaxHeaders/entry", 'x', records.size()));
    sink_(records);
    written_ = records.size();
    pad();
  }
  sink_(header(entry, name, entry.type, entry.size));
  expected_ = entry.size;
  written_ = 0;
}

void TarWriter::data(std::span<const char> bytes) {
  written_ += bytes.size();
  if (written_ > expected_) throw core::Error("write a tar entry", "the file grew while it was read");
  sink_(bytes);
}

void TarWriter::end() {
  if (written_ != expected_) throw core::Error("write a tar entry", "the file shrank while it was read");
  pad();
}

void TarWriter::pad() {
  static constexpr Block kZeros{};
  if (const auto rest = written_ % kBlock; rest != 0) sink_(std::span(kZeros).first(kBlock - rest));
}

void TarWriter::finish() {
  static constexpr std::array<char, 2 * kBlock> kEnd{};
  sink_(kEnd);
}

}  // namespace sampan::image
