// Tokens: nothing that this key did not sign is believed.
#include "ecr/tokens.h"

#include "core/encoding.h"
#include "core/fuzz_target.h"

namespace sampan::ecr {
namespace {

const std::string kKey(32, 'k');

FUZZ_TARGET(tokens) {
  FUZZ_CHECK(!read_token(input, kKey));
  // What follows a good signature is read with care as well.
  const auto signed_by_us = core::to_base64(core::hmac_sha256(kKey, input) + std::string(input));
  if (const auto claims = read_token(signed_by_us, kKey))
    FUZZ_CHECK(!read_token(signed_by_us, std::string(32, 'x')));
  TokenClaims claims;
  claims.account = "000000000000";
  claims.access_key = std::string(input.substr(0, 100));
  for (const char letter : claims.access_key) {
    if (static_cast<unsigned char>(letter) >= 0x80) return;  // a claim is JSON text
  }
  const auto back = read_token(sign_token(claims, kKey), kKey);
  FUZZ_CHECK(back && back->access_key == claims.access_key);
}

}  // namespace
}  // namespace sampan::ecr
