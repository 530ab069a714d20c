// Hex, base64, percent-encoding, SHA-2 and HMAC. Pure.
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

enum class HashAlgorithm { kSha256, kSha512 };

// A hash in pieces. update() may be called on any one thread at a time.
class Hasher {
 public:
  explicit Hasher(HashAlgorithm algorithm);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(std::span<const char> bytes);
  std::string finish_hex();  // once; 64 digits of SHA-256, 128 of SHA-512

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
class Sha256 : public Hasher {
 public:
  Sha256() : Hasher(HashAlgorithm::kSha256) {}
};
std::string hash_hex(HashAlgorithm algorithm, std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 raw bytes
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace sampan::core
