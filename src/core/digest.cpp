// The parts of encoding.h that OpenSSL does. EVP picks the processor's SHA instructions by itself.
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

#include "core/encoding.h"
#include "core/error.h"

namespace sampan::core {
namespace {

using DigestBytes = std::array<unsigned char, 32>;

// Fetched once: EVP_sha256() would look the implementation up again at every init.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  SAMPAN_CHECK(method != nullptr);
  return method;
}

const EVP_MD* sha512_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  SAMPAN_CHECK(method != nullptr);
  return method;
}

const EVP_MD* method_of(HashAlgorithm algorithm) {
  return algorithm == HashAlgorithm::kSha256 ? sha256_method() : sha512_method();
}

std::string_view view_of(const DigestBytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

struct Hasher::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher(HashAlgorithm algorithm) : impl_(std::make_unique<Impl>()) {
  SAMPAN_CHECK(impl_->context != nullptr);
  SAMPAN_CHECK(EVP_DigestInit_ex2(impl_->context, method_of(algorithm), nullptr) == 1);
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::span<const char> bytes) {
  SAMPAN_CHECK(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1);
}

std::string Hasher::finish_hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  SAMPAN_CHECK(EVP_DigestFinal_ex(impl_->context, digest.data(), &size) == 1);
  return to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string hash_hex(HashAlgorithm algorithm, std::string_view bytes) {
  Hasher hasher(algorithm);
  hasher.update(bytes);
  return hasher.finish_hex();
}

std::string sha256_hex(std::string_view bytes) {
  DigestBytes digest;
  SAMPAN_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, sha256_method(), nullptr) == 1);
  return to_hex(view_of(digest));
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  // RFC 2104 by hand: OpenSSL 3's HMAC() looks its methods up at each call, which costs more than the hash,
  // and a signature check needs five of them.
  constexpr std::size_t kBlock = 64;
  std::array<unsigned char, kBlock> inner{};
  DigestBytes digest;
  const EVP_MD* method = sha256_method();
  if (key.size() > kBlock) {
    SAMPAN_CHECK(EVP_Digest(key.data(), key.size(), inner.data(), nullptr, method, nullptr) == 1);
  } else {
    std::copy(key.begin(), key.end(), inner.begin());
  }
  std::array<unsigned char, kBlock> outer = inner;
  for (auto& byte : inner) byte ^= 0x36;
  for (auto& byte : outer) byte ^= 0x5c;
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                                     &EVP_MD_CTX_free);
  SAMPAN_CHECK(EVP_DigestInit_ex2(context.get(), method, nullptr) == 1);
  SAMPAN_CHECK(EVP_DigestUpdate(context.get(), inner.data(), inner.size()) == 1);
  SAMPAN_CHECK(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  SAMPAN_CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  SAMPAN_CHECK(EVP_DigestInit_ex2(context.get(), method, nullptr) == 1);
  SAMPAN_CHECK(EVP_DigestUpdate(context.get(), outer.data(), outer.size()) == 1);
  SAMPAN_CHECK(EVP_DigestUpdate(context.get(), digest.data(), digest.size()) == 1);
  SAMPAN_CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(outer.data(), outer.size());
  return std::string(view_of(digest));
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sampan::core
