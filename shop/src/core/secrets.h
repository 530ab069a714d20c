// Tokens nobody can guess, and digests. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace shop::core {

// 256 bits from the kernel, as 64 hex digits.
std::string random_token();
bool is_token(std::string_view text);  // looks like one
// As hex digits.
std::string sha256(std::string_view text);
std::string hmac_sha256(std::string_view key, std::string_view text);
// Takes as long wherever the first difference is.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace shop::core
