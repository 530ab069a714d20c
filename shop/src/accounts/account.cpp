#include "accounts/account.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/text.h"

namespace shop::accounts {
namespace {

struct RoleName {
  Role role;
  std::string_view code;
};
constexpr std::array kRoles{RoleName{Role::kCustomer, "customer"}, RoleName{Role::kClerk, "clerk"},
                            RoleName{Role::kManager, "manager"},
                            RoleName{Role::kAdministrator, "administrator"}};

[[noreturn]] void refuse(const char* code) {
  throw core::Refusal(core::Refusal::Kind::kInvalid, code);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_control(char letter) {
  return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F;
}

bool is_mail_letter(char letter) {
  constexpr std::string_view kOthers = ".!#$%&'*+/=?^_`{|}~-";
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
         kOthers.find(letter) != kOthers.npos;
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253 || host.find('.') == host.npos) return false;
  char before = '.';
  for (const char letter : host) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
    if (!plain && letter != '-' && letter != '.') return false;
    if (!plain && (before == '.' || (letter == '.' && before == '-'))) return false;
    before = letter;
  }
  return before != '.' && before != '-';
}

}  // namespace

std::string_view role_code(Role role) {
  return std::find_if(kRoles.begin(), kRoles.end(),
                      [role](const RoleName& name) { return name.role == role; })
      ->code;
}

std::optional<Role> parse_role(std::string_view code) {
  for (const auto& name : kRoles) {
    if (name.code == code) return name.role;
  }
  return std::nullopt;
}

std::string checked_email(std::string_view typed) {
  std::string email(trimmed(typed));
  for (auto& letter : email) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  const auto at = email.find('@');
  if (at == email.npos || at == 0 || at > 64 || email.size() > 254) refuse("bad_email");
  const auto local = std::string_view(email).substr(0, at);
  if (!std::all_of(local.begin(), local.end(), is_mail_letter)) refuse("bad_email");
  if (local.front() == '.' || local.back() == '.' || local.find("..") != local.npos) refuse("bad_email");
  if (!is_host(std::string_view(email).substr(at + 1))) refuse("bad_email");
  return email;
}

std::string checked_line(std::string_view typed, std::size_t most, const char* refusal) {
  const auto line = trimmed(typed);
  if (line.empty() || line.size() > most || !core::valid_utf8(line) ||
      std::any_of(line.begin(), line.end(), is_control))
    refuse(refusal);
  return std::string(line);
}

std::string checked_name(std::string_view typed) {
  return checked_line(typed, 100, "bad_name");
}

std::string checked_phone(std::string_view typed) {
  std::string digits;
  for (const char letter : trimmed(typed)) {
    if (letter == ' ' || letter == '.' || letter == '-' || letter == '(' || letter == ')') continue;
    digits.push_back(letter);
  }
  if (digits.empty()) return digits;
  if (digits.starts_with("+84")) digits.replace(0, 3, "0");
  const bool number = digits.find_first_not_of("0123456789") == digits.npos;
  if (!number || digits.front() != '0' || digits.size() < 10 || digits.size() > 11) refuse("bad_phone");
  return digits;
}

std::string_view language_code(core::Language language) {
  return language == core::Language::kVietnamese ? "vi" : "en";
}

core::Language parse_language(std::string_view code) {
  return code == "en" ? core::Language::kEnglish : core::Language::kVietnamese;
}

}  // namespace shop::accounts
