// Names of images and content: digests and references. Pure.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace sampan::image {

// "sha256:" and 64 hex digits; nothing else can be made.
class Digest {
 public:
  Digest();  // of no bytes: for containers and coroutines that need a value to begin with
  static std::optional<Digest> parse(std::string_view text);
  static Digest of(std::string_view bytes);  // SHA-256 of them
  const std::string& str() const { return text_; }
  std::string_view hex() const { return std::string_view(text_).substr(7); }
  auto operator<=>(const Digest&) const = default;

 private:
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
