#include "ecr/tokens.h"

#include <boost/json.hpp>

#include "core/encoding.h"

namespace sampan::ecr {
namespace json = boost::json;
namespace {

constexpr char kRow[] = "token";
constexpr std::size_t kLongestToken = 16 * 1024;

std::string make_key(core::IdSource& ids) {
  std::string key;
  for (int i = 0; i < 4; ++i) {
    const auto word = ids.next();
    for (int shift = 0; shift < 64; shift += 8) key.push_back(static_cast<char>(word >> shift));
  }
  return key;
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

std::string sign_token(const TokenClaims& claims, std::string_view key) {
  json::object object{{"account", claims.account},
                      {"region", claims.region},
                      {"key", claims.access_key},
                      {"expires", claims.expires.time_since_epoch().count()}};
  if (!claims.blob.empty()) object["blob"] = claims.blob;
  if (claims.scopes) object["scope"] = render_scopes(*claims.scopes);
  const auto payload = json::serialize(object);
  return core::to_base64(core::hmac_sha256(key, payload) + payload);
}

std::optional<TokenClaims> read_token(std::string_view token, std::string_view key) {
  constexpr std::size_t kMac = 32;
  if (key.empty() || token.size() > kLongestToken) return std::nullopt;
  const auto bytes = core::from_base64(token);
  if (!bytes || bytes->size() <= kMac) return std::nullopt;
  const std::string_view payload = std::string_view(*bytes).substr(kMac);
  if (!core::equal_in_constant_time(core::hmac_sha256(key, payload),
                                    std::string_view(*bytes).substr(0, kMac))) {
    return std::nullopt;
  }
  // Signed by us, so well-formed; still read with care.
  boost::system::error_code bad;
  const auto value = json::parse(payload, bad);
  if (bad || !value.is_object()) return std::nullopt;
  const auto& object = value.get_object();
  const auto* expires = object.if_contains("expires");
  if (!expires || !expires->is_int64()) return std::nullopt;
  TokenClaims claims{text_of(object, "account"), text_of(object, "region"), text_of(object, "key"),
                     text_of(object, "blob"), core::TimePoint(core::Millis(expires->get_int64()))};
  if (object.contains("scope")) claims.scopes = parse_scopes(text_of(object, "scope"));
  return claims;
}

Tokens::Tokens(store::Store& store, core::IdSource& ids)
    : store_(store), ids_(ids), keys_(store, "/ecr/keys/") {
  if (const auto* row = keys_.find(kRow)) key_ = row->key;
}

std::string Tokens::current_key() const {
  const std::lock_guard lock(mutex_);
  return key_;
}

io::Awaitable<std::string> Tokens::sign(TokenClaims claims) {
  if (current_key().empty()) {
    const auto fresh = make_key(ids_);
    auto key = co_await store::transact(store_, [&](store::Txn& tx) {
      if (const auto row = tx.get(keys_, kRow)) return row->key;
      tx.put(keys_, kRow, TokenKeyRow{fresh});
      return fresh;
    });
    const std::lock_guard lock(mutex_);
    key_ = std::move(key);
    read_.clear();
  }
  co_return sign_token(claims, current_key());
}

std::optional<TokenClaims> Tokens::read(std::string_view token) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = read_.find(token); known != read_.end()) return known->second;
  }
  const auto key = current_key();
  auto claims = read_token(token, key);
  if (!claims || !claims->blob.empty()) return claims;  // a download URL is used once or twice
  const std::lock_guard lock(mutex_);
  if (key != key_) return claims;
  if (read_.size() >= kMostRead) read_.clear();
  read_.emplace(token, *claims);
  return claims;
}

}  // namespace sampan::ecr
