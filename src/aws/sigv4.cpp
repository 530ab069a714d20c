#include "aws/sigv4.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "aws/time_text.h"
#include "core/encoding.h"
#include "core/text.h"

namespace sampan::aws {
namespace {

constexpr std::string_view kTerminator = "aws4_request";
constexpr std::size_t kMaxSignedHeaders = 100;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// As percent_encode, but into `out`: what is signed is put together in one string.
void append_encoded(std::string_view text, bool keep_slash, std::string& out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~' || (keep_slash && c == '/');
    if (plain) {
      out += raw;
    } else {
      out += '%';
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
}

// RFC 3986's dot segments and empty ones removed; what is sent encoded is encoded once more (not so in S3).
void append_canonical_path(std::string_view path, std::string& out) {
  if (path.empty() || path == "/") {
    out += '/';
    return;
  }
  std::vector<std::string_view> kept;
  std::size_t at = 0;
  while (at < path.size()) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    at = end + 1;
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  for (auto segment : kept) {
    out += '/';
    append_encoded(segment, false, out);
  }
  if (kept.empty() || path.back() == '/') out += '/';
}

void append_canonical_query(std::string_view query, std::string& out) {
  Pairs pairs;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.empty()) continue;
    const auto equals = std::min(part.find('='), part.size());
    const auto key =
        core::percent_decode(part.substr(0, equals)).value_or(std::string(part.substr(0, equals)));
    if (key == "X-Amz-Signature") continue;
    const auto raw = part.substr(std::min(equals + 1, part.size()));
    pairs.emplace_back(core::percent_encode(key),
                       core::percent_encode(core::percent_decode(raw).value_or(std::string(raw))));
  }
  std::ranges::sort(pairs);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i) out += '&';
    out += pairs[i].first;
    out += '=';
    out += pairs[i].second;
  }
}

// Trimmed, runs of blanks as one.
void append_canonical_value(std::string_view value, std::string& out) {
  value = core::trim(value);
  bool blank = false;
  for (const char c : value) {
    const bool is_blank = c == ' ' || c == '\t';
    if (is_blank && blank) continue;
    blank = is_blank;
    out += is_blank ? ' ' : c;
  }
}

void append_canonical_header(const http::Headers& headers, std::string_view name, std::string& out) {
  out += name;
  out += ':';
  bool first = true;
  for (const auto& [field, value] : headers) {
    if (field.size() != name.size() || !core::equal_ignoring_case(field, name)) continue;
    if (!first) out += ',';
    first = false;
    append_canonical_value(value, out);
  }
  out += '\n';
}

std::vector<std::string> split_signed_headers(std::string_view text) {
  std::vector<std::string> names;
  for (auto& name : core::split(text, ';')) names.push_back(core::to_lower(name));
  if (names.size() > kMaxSignedHeaders) throw IncompleteSignature("Too many signed headers.");
  return names;
}

CredentialScope parse_credential(std::string_view text) {
  auto scope = CredentialScope::parse(text);
  if (scope) return std::move(*scope);
  throw IncompleteSignature(
      fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                  "keyid/date/region/service/term, got '{}'",
                  text.substr(0, 200)));
}

PresentedSignature from_header(const http::Request& request, std::string_view authorization) {
  PresentedSignature found;
  std::string_view credential, headers, signature;
  auto rest = authorization.substr(kSigV4Algorithm.size());
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    const auto part = core::trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.starts_with("Credential=")) credential = part.substr(11);
    if (part.starts_with("SignedHeaders=")) headers = part.substr(14);
    if (part.starts_with("Signature=")) signature = part.substr(10);
  }
  std::string missing;
  if (credential.empty()) missing += "Authorization header requires 'Credential' parameter. ";
  if (signature.empty()) missing += "Authorization header requires 'Signature' parameter. ";
  if (headers.empty()) missing += "Authorization header requires 'SignedHeaders' parameter. ";
  found.amz_date = request.headers.get("x-amz-date");
  if (found.amz_date.empty()) {
    missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!missing.empty()) throw IncompleteSignature(missing.substr(0, missing.size() - 1));
  found.credential = parse_credential(credential);
  found.signed_headers = split_signed_headers(headers);
  found.signature = signature;
  found.session_token = request.headers.get("x-amz-security-token");
  return found;
}

PresentedSignature from_query(const http::Request& request) {
  PresentedSignature found;
  found.presigned = true;
  std::string credential, headers, expires;
  for (auto& [key, value] : http::parse_query(request.raw_query())) {
    if (key == "X-Amz-Credential") credential = value;
    if (key == "X-Amz-SignedHeaders") headers = value;
    if (key == "X-Amz-Signature") found.signature = value;
    if (key == "X-Amz-Date") found.amz_date = value;
    if (key == "X-Amz-Expires") expires = value;
    if (key == "X-Amz-Security-Token") found.session_token = value;
  }
  if (credential.empty() || headers.empty() || found.signature.empty() || found.amz_date.empty()) {
    throw IncompleteSignature(
        "AWS query-string parameters must include 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', "
        "'X-Amz-SignedHeaders' and 'X-Amz-Signature'. Re-examine the query-string parameters.");
  }
  found.credential = parse_credential(credential);
  found.signed_headers = split_signed_headers(headers);
  constexpr std::int64_t kWeek = 7 * 24 * 3600;  // the longest that AWS takes
  found.expires_seconds = core::parse_int(expires).value_or(15 * 60);
  if (found.expires_seconds < 0 || found.expires_seconds > kWeek) {
    throw IncompleteSignature("X-Amz-Expires must be between 0 and 604800 seconds.");
  }
  return found;
}

}  // namespace

std::optional<CredentialScope> CredentialScope::parse(std::string_view text) {
  auto parts = core::split(text, '/');
  if (parts.size() != 5 || parts[4] != kTerminator || parts[1].size() != 8) return std::nullopt;
  if (std::ranges::any_of(parts, &std::string::empty)) return std::nullopt;
  return CredentialScope{std::move(parts[0]), std::move(parts[1]), std::move(parts[2]), std::move(parts[3])};
}

std::string CredentialScope::scope() const {
  return fmt::format("{}/{}/{}/{}", date, region, service, kTerminator);
}

std::optional<PresentedSignature> find_signature(const http::Request& request) {
  const auto authorization = request.headers.get("authorization");
  if (authorization.starts_with(kSigV4Algorithm)) return from_header(request, authorization);
  if (request.raw_query().find("X-Amz-Algorithm=AWS4-HMAC-SHA256") != std::string_view::npos) {
    return from_query(request);
  }
  return std::nullopt;
}

std::string canonical_request(const CanonicalInput& input) {
  std::string out;
  out.reserve(1024);
  out += input.method;
  out += '\n';
  append_canonical_path(input.path, out);
  out += '\n';
  append_canonical_query(input.query, out);
  out += '\n';
  for (const auto& name : input.signed_headers) append_canonical_header(input.headers, name, out);
  out += '\n';
  for (std::size_t i = 0; i < input.signed_headers.size(); ++i) {
    if (i) out += ';';
    out += input.signed_headers[i];
  }
  out += '\n';
  out += input.payload_hash;
  return out;
}

std::string string_to_sign(std::string_view amz_date, const CredentialScope& scope,
                           std::string_view canonical) {
  return fmt::format("{}\n{}\n{}\n{}", kSigV4Algorithm, amz_date, scope.scope(), core::sha256_hex(canonical));
}

std::string derive_signing_key(std::string_view secret, const CredentialScope& scope) {
  const auto day = core::hmac_sha256("AWS4" + std::string(secret), scope.date);
  return core::hmac_sha256(core::hmac_sha256(core::hmac_sha256(day, scope.region), scope.service),
                           kTerminator);
}

std::string sign_text(std::string_view signing_key, std::string_view text) {
  return core::to_hex(core::hmac_sha256(signing_key, text));
}

std::string SigningKeyCache::key_for(std::string_view secret, const CredentialScope& scope) {
  auto name = fmt::format("{}/{}/{}/{}", scope.access_key, scope.date, scope.region, scope.service);
  {
    std::shared_lock lock(mutex_);
    const auto found = kept_.find(name);
    if (found != kept_.end() && found->second.secret == secret) return found->second.key;
  }
  auto key = derive_signing_key(secret, scope);
  std::unique_lock lock(mutex_);
  if (kept_.size() >= kMaxKept) kept_.clear();
  kept_[std::move(name)] = {std::string(secret), key};
  return key;
}

void sign_request(http::Request& request, std::string_view body, const Credentials& credentials,
                  std::string_view region, std::string_view service, core::TimePoint now) {
  const auto amz_date = to_amz_date(now);
  request.headers.set("X-Amz-Date", amz_date);
  if (!credentials.session_token.empty()) {
    request.headers.set("X-Amz-Security-Token", credentials.session_token);
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : request.headers) {
    auto lower = core::to_lower(name);
    if (lower == "host" || lower == "content-type" || lower.starts_with("x-amz-"))
      names.push_back(std::move(lower));
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const CredentialScope scope{credentials.access_key, amz_date.substr(0, 8), std::string(region),
                              std::string(service)};
  const bool body_unsigned = request.headers.get("x-amz-content-sha256") == kUnsignedPayload;
  const auto hash = body_unsigned ? std::string(kUnsignedPayload) : core::sha256_hex(body);
  const auto canonical = canonical_request(
      {request.method, request.raw_path(), request.raw_query(), request.headers, names, hash});
  const auto signature =
      sign_text(derive_signing_key(credentials.secret, scope), string_to_sign(amz_date, scope, canonical));
  request.headers.set("Authorization",
                      fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kSigV4Algorithm,
                                  scope.access_key, scope.scope(), core::join(names, ";"), signature));
}

std::string presign_target(const http::Request& request, const Credentials& credentials,
                           std::string_view region, std::string_view service, core::TimePoint now,
                           std::chrono::seconds expires) {
  const auto amz_date = to_amz_date(now);
  const CredentialScope scope{credentials.access_key, amz_date.substr(0, 8), std::string(region),
                              std::string(service)};
  std::string query(request.raw_query());
  const auto add = [&query](std::string_view key, std::string_view value) {
    if (!query.empty()) query += '&';
    query += fmt::format("{}={}", key, core::percent_encode(value));
  };
  add("X-Amz-Algorithm", kSigV4Algorithm);
  add("X-Amz-Credential", fmt::format("{}/{}", scope.access_key, scope.scope()));
  add("X-Amz-Date", amz_date);
  add("X-Amz-Expires", fmt::to_string(expires.count()));
  add("X-Amz-SignedHeaders", "host");
  if (!credentials.session_token.empty()) add("X-Amz-Security-Token", credentials.session_token);
  const std::vector<std::string> names{"host"};
  // S3 leaves the body out of every presigned URL; the other services hash it, and it is empty.
  const bool body_unsigned = request.headers.get("x-amz-content-sha256") == kUnsignedPayload;
  const auto canonical = canonical_request({request.method, request.raw_path(), query, request.headers, names,
                                            body_unsigned ? kUnsignedPayload : kEmptyPayloadHash});
  add("X-Amz-Signature",
      sign_text(derive_signing_key(credentials.secret, scope), string_to_sign(amz_date, scope, canonical)));
  return fmt::format("{}?{}", request.raw_path(), query);
}

}  // namespace sampan::aws
