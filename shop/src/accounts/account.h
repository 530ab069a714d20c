// One person's account, as a value. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/language.h"

namespace shop::accounts {

// Each may what those before it may.
enum class Role { kCustomer, kClerk, kManager, kAdministrator };
std::string_view role_code(Role role);  // "clerk"
std::optional<Role> parse_role(std::string_view code);

struct Account {
  std::int64_t id = 0;
  std::string email;
  std::string name;
  std::string phone;
  core::Language language = core::Language::kVietnamese;
  Role role = Role::kCustomer;
  core::TimePoint created_at;

  bool is_staff() const { return role != Role::kCustomer; }
};

// Without spaces around it, in lower case; throws core::Refusal when it is no e-mail address.
std::string checked_email(std::string_view typed);
// Throws core::Refusal when empty or longer than 100 bytes, or with control characters.
std::string checked_name(std::string_view typed);
// Vietnamese: "0912345678" of "+84 912 345 678"; '' stays ''. Throws core::Refusal.
std::string checked_phone(std::string_view typed);
// Any other line of text of at most `most` bytes, without spaces around it; throws core::Refusal (`refusal`).
std::string checked_line(std::string_view typed, std::size_t most, const char* refusal);

std::string_view language_code(core::Language language);
core::Language parse_language(std::string_view code);

}  // namespace shop::accounts
