// Encryption of a value at rest: AES-256-GCM with a fresh random nonce. Pure but for the nonce.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sampan::secrets {

// nonce (12 bytes), ciphertext, tag (16 bytes). `place` says where it belongs (account, region, secret,
// version) and is authenticated: moved elsewhere it no longer opens. Throws core::Error when OpenSSL refuses.
std::string seal(std::string_view key, std::string_view plain, std::string_view place);
// Nothing when it was sealed with another key, for another place, or has been changed.
std::optional<std::string> unseal(std::string_view key, std::string_view sealed, std::string_view place);

}  // namespace sampan::secrets
