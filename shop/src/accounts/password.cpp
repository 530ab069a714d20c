#include "accounts/password.h"

#include <argon2.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <semaphore>
#include <stdexcept>

#include "core/error.h"
#include "core/text.h"

namespace shop::accounts {
namespace {

// OWASP's least for argon2id: 19 MiB, two passes, one lane.
constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kMemoryKib = 19 * 1024;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSalt = 16;
constexpr std::size_t kTag = 32;
constexpr int kAtOnce = 4;  // 76 MiB at most, however many sign in

// Of what leaks again and again, that which is long enough to pass; folded.
constexpr std::array<std::string_view, 16> kTriedFirst{
    "1234567890", "0123456789", "12345678910", "0987654321",   "1111111111", "password123",
    "password12", "matkhau123", "matkhau1234", "qwertyuiop",   "1q2w3e4r5t", "iloveyou123",
    "abcd123456", "abc1234567", "anhyeuem123", "anhyeuem12345"};

std::counting_semaphore<kAtOnce>& turns() {
  static std::counting_semaphore<kAtOnce> semaphore(kAtOnce);
  return semaphore;
}

class Turn {
 public:
  Turn() { turns().acquire(); }
  ~Turn() { turns().release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

[[noreturn]] void refuse(const char* code) {
  throw core::Refusal(core::Refusal::Kind::kInvalid, code);
}

}  // namespace

void check_new_password(std::string_view password, std::string_view email) {
  if (password.size() > kLongestPassword) refuse("password_too_long");
  // Letters count, not bytes.
  const auto letters = std::count_if(password.begin(), password.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  });
  if (static_cast<std::size_t>(letters) < kShortestPassword) refuse("password_too_short");
  const auto folded = core::fold(password);
  const bool one_letter = password.find_first_not_of(password.front()) == password.npos;
  const bool tried = std::find(kTriedFirst.begin(), kTriedFirst.end(), folded) != kTriedFirst.end();
  const bool own_name = folded == core::fold(email) || folded == core::fold(email.substr(0, email.find('@')));
  if (one_letter || tried || own_name) refuse("password_too_common");
}

std::string hash_password(const std::string& password) {
  std::array<unsigned char, kSalt> salt{};
  if (::getrandom(salt.data(), salt.size(), 0) != static_cast<ssize_t>(salt.size()))
    throw std::runtime_error("the kernel gave no random bytes");
  std::array<char, 160> encoded{};
  const Turn turn;
  const int result = argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, password.data(), password.size(),
                                           salt.data(), salt.size(), kTag, encoded.data(), encoded.size());
  if (result != ARGON2_OK) throw std::runtime_error(std::string("argon2id: ") + argon2_error_message(result));
  return encoded.data();
}

bool is_password(const std::string& hash, const std::string& password) {
  if (password.size() > kLongestPassword) return false;
  // Whoever asks must not learn from the time it takes whether there is an account.
  static const std::string nobody = hash_password("nobody knows this one");
  const bool real = hash.starts_with("$argon2id$");
  const Turn turn;
  const bool same =
      argon2id_verify(real ? hash.c_str() : nobody.c_str(), password.data(), password.size()) == ARGON2_OK;
  return real && same;
}

}  // namespace shop::accounts
