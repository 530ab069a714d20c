// The letters about accounts, in both languages. Pure.
#pragma once

#include "accounts/mailbox.h"
#include "core/language.h"

namespace shop::accounts {

Letter confirm_letter(const std::string& to, const std::string& link, core::Language language);
// To somebody who has an account and asked for another one.
Letter known_letter(const std::string& to, const std::string& link, core::Language language);
Letter reset_letter(const std::string& to, const std::string& link, core::Language language);
Letter password_changed_letter(const std::string& to, core::Language language);

}  // namespace shop::accounts
