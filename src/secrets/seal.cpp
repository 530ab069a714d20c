#include "secrets/seal.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>

#include "core/error.h"

namespace sampan::secrets {
namespace {

constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Free>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text, std::size_t at) {
  return reinterpret_cast<unsigned char*>(text.data()) + at;
}

void check(bool good) {
  if (!good) throw core::Error("encrypt a secret", "OpenSSL refused");
}

}  // namespace

std::string seal(std::string_view key, std::string_view plain, std::string_view place) {
  SAMPAN_CHECK(key.size() == 32);
  std::string sealed(kNonce + plain.size() + kTag, '\0');
  check(RAND_bytes(bytes_of(sealed, 0), kNonce) == 1);
  const Context context(EVP_CIPHER_CTX_new());
  check(context &&
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(sealed, 0)));
  int count = 0;
  check(EVP_EncryptUpdate(context.get(), nullptr, &count, bytes_of(place), static_cast<int>(place.size())) ==
        1);
  check(EVP_EncryptUpdate(context.get(), bytes_of(sealed, kNonce), &count, bytes_of(plain),
                          static_cast<int>(plain.size())) == 1);
  int last = 0;
  check(EVP_EncryptFinal_ex(context.get(), bytes_of(sealed, kNonce + static_cast<std::size_t>(count)),
                            &last) == 1);
  check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag,
                            bytes_of(sealed, kNonce + plain.size())) == 1);
  return sealed;
}

std::optional<std::string> unseal(std::string_view key, std::string_view sealed, std::string_view place) {
  SAMPAN_CHECK(key.size() == 32);
  if (sealed.size() < kNonce + kTag) return std::nullopt;
  const auto size = sealed.size() - kNonce - kTag;
  std::string plain(size, '\0');
  std::string tag(sealed.substr(kNonce + size));
  const Context context(EVP_CIPHER_CTX_new());
  if (!context ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(sealed)) != 1) {
    return std::nullopt;
  }
  int count = 0;
  const bool read = EVP_DecryptUpdate(context.get(), nullptr, &count, bytes_of(place),
                                      static_cast<int>(place.size())) == 1 &&
                    EVP_DecryptUpdate(context.get(), bytes_of(plain, 0), &count,
                                      bytes_of(sealed.substr(kNonce)), static_cast<int>(size)) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, bytes_of(tag, 0)) == 1;
  unsigned char rest[kTag];
  int last = 0;
  if (!read || EVP_DecryptFinal_ex(context.get(), rest, &last) != 1) return std::nullopt;
  return plain;
}

}  // namespace sampan::secrets
