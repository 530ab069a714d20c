// GetRandomPassword: random text of wanted kinds of characters. Pure but for the randomness it is given.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/random.h"

namespace sampan::secrets {

struct PasswordWish {
  std::size_t length = 32;
  std::string excluded;
  bool numbers = true;
  bool punctuation = true;
  bool uppercase = true;
  bool lowercase = true;
  bool space = false;
  bool each_kind = true;  // at least one of each
};

// Nothing when no such password exists (all characters excluded, or fewer than kinds); `problem` says why.
std::optional<std::string> make_password(const PasswordWish& wish, core::IdSource& random,
                                         std::string& problem);

}  // namespace sampan::secrets
