#include "secrets/password.h"

#include <vector>

namespace sampan::secrets {
namespace {

// Without the bias of a plain modulo.
std::size_t pick(core::IdSource& random, std::size_t count) {
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % count;
  auto number = random.next();
  while (number >= limit) number = random.next();
  return static_cast<std::size_t>(number % count);
}

std::vector<std::string> kinds_of(const PasswordWish& wish) {
  std::vector<std::string> kinds;
  if (wish.lowercase) kinds.emplace_back("abcdefghijklmnopqrstuvwxyz");
  if (wish.uppercase) kinds.emplace_back("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  if (wish.numbers) kinds.emplace_back("0123456789");
  if (wish.punctuation) kinds.emplace_back("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
  if (wish.space) kinds.emplace_back(" ");
  for (auto& kind : kinds) {
    std::erase_if(kind, [&wish](char c) { return wish.excluded.find(c) != std::string::npos; });
  }
  std::erase_if(kinds, [](const std::string& kind) { return kind.empty(); });
  return kinds;
}

}  // namespace

std::optional<std::string> make_password(const PasswordWish& wish, core::IdSource& random,
                                         std::string& problem) {
  const auto kinds = kinds_of(wish);
  if (kinds.empty()) {
    problem = "All characters of the desired type have been excluded";
    return std::nullopt;
  }
  if (wish.each_kind && wish.length < kinds.size()) {
    problem = "Password length too short based on the required types.";
    return std::nullopt;
  }
  std::string all;
  for (const auto& kind : kinds) all += kind;
  std::string password;
  if (wish.each_kind) {
    for (const auto& kind : kinds) password += kind[pick(random, kind.size())];
  }
  while (password.size() < wish.length) password += all[pick(random, all.size())];
  for (std::size_t i = password.size(); i > 1; --i) std::swap(password[i - 1], password[pick(random, i)]);
  return password;
}

}  // namespace sampan::secrets
