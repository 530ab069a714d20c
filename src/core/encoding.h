// Hex, base64, percent-encoding, SHA-256 and HMAC. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sampan::core {

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view hex);
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);  // padding required, no white space
// RFC 3986: everything but A-Za-z0-9-_.~ (and '/' if kept) as %XX.
std::string percent_encode(std::string_view text, bool keep_slash = false);
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

// SHA-256 in pieces. update() may be called on any one thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const char> bytes);
  std::string finish_hex();  // once; 64 digits

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 raw bytes
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace sampan::core
