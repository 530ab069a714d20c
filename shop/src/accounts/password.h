// Passwords, kept as argon2id alone. The rule for new ones is pure; hashing takes time and memory on purpose,
// so that only a few run at once. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace shop::accounts {

inline constexpr std::size_t kShortestPassword = 10;
inline constexpr std::size_t kLongestPassword = 200;  // bytes

// Throws core::Refusal: too short, too long, one of those that everybody tries first, the e-mail itself.
void check_new_password(std::string_view password, std::string_view email);

// "$argon2id$v=19$m=19456,t=2,p=1$…", with a salt of its own.
std::string hash_password(const std::string& password);
// False for anything that is no argon2id hash. Takes as long when there is none ("").
bool is_password(const std::string& hash, const std::string& password);

}  // namespace shop::accounts
