#include "core/secrets.h"

#include <Poco/SHA2Engine.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace shop::core {
namespace {

constexpr std::size_t kBlock = 64;  // of SHA-256

std::string digest(std::string_view first, std::string_view second) {
  Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
  engine.update(first.data(), static_cast<unsigned>(first.size()));
  engine.update(second.data(), static_cast<unsigned>(second.size()));
  const auto bytes = engine.digest();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
  }
  return text;
}

}  // namespace

std::string random_token() {
  std::array<char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("the kernel gave no random bytes");
  return hex({bytes.data(), bytes.size()});
}

bool is_token(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string sha256(std::string_view text) {
  return hex(digest(text, {}));
}

// RFC 2104
std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string block = key.size() > kBlock ? digest(key, {}) : std::string(key);
  block.resize(kBlock, '\0');
  std::string inner = block;
  std::string outer = block;
  for (auto& byte : inner) byte = static_cast<char>(byte ^ 0x36);
  for (auto& byte : outer) byte = static_cast<char>(byte ^ 0x5c);
  return hex(digest(outer, digest(inner, text)));
}

bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char different = 0;
  for (std::size_t at = 0; at < a.size(); ++at) {
    different = static_cast<unsigned char>(different | (a[at] ^ b[at]));
  }
  return different == 0;
}

}  // namespace shop::core
