// Names of images and content: digests and references. Pure.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "core/encoding.h"

namespace sampan::image {

// "sha256:" and 64 hex digits, or "sha512:" and 128; nothing else can be made.
class Digest {
 public:
  Digest();  // of no bytes: for containers and coroutines that need a value to begin with
  static std::optional<Digest> parse(std::string_view text);
  static Digest of(std::string_view bytes, core::HashAlgorithm algorithm = core::HashAlgorithm::kSha256);
  // Of a hash's own digits, as core::Hasher gives them; nothing when they are not so many.
  static std::optional<Digest> from_hex(core::HashAlgorithm algorithm, std::string_view hex);
  // 32 or 64 bytes, half of the digits; nothing when they are of neither number.
  static std::optional<Digest> from_raw(std::string_view bytes);
  std::string raw() const;
  const std::string& str() const { return text_; }
  std::string_view hex() const { return std::string_view(text_).substr(kNameLength + 1); }
  std::string_view name() const { return std::string_view(text_).substr(0, kNameLength); }  // "sha256"
  core::HashAlgorithm algorithm() const;
  auto operator<=>(const Digest&) const = default;

 private:
  static constexpr std::size_t kNameLength = 6;  // of "sha256" and of "sha512"
  explicit Digest(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// "localhost:4566/team/app:1.2", "debian:bookworm", "app@sha256:…". `host` is empty when none was written
// (a first part counts as a host when it has a '.' or ':' or is "localhost").
struct Reference {
  std::string host;
  std::string repository;  // "team/app"
  std::string tag;         // "latest" when neither tag nor digest was written
  std::optional<Digest> digest;

  static std::optional<Reference> parse(std::string_view text);
  std::string str() const;
  bool operator==(const Reference&) const = default;
};

// OCI distribution's rules.
bool valid_repository(std::string_view name);
bool valid_tag(std::string_view tag);

}  // namespace sampan::image
