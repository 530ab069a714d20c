#include "image/reference.h"

namespace sampan::image {
namespace {

struct AlgorithmName {
  std::string_view prefix;
  std::size_t digits;
};
constexpr AlgorithmName kSha256{"sha256:", 64};
constexpr AlgorithmName kSha512{"sha512:", 128};

constexpr const AlgorithmName& name_of(core::HashAlgorithm algorithm) {
  return algorithm == core::HashAlgorithm::kSha256 ? kSha256 : kSha512;
}
constexpr std::size_t kLongestRepository = 256;  // ECR's; OCI leaves it to the registry
constexpr std::size_t kLongestTag = 128;
constexpr std::size_t kLongestReference = 1024;

constexpr bool is_lower_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
constexpr bool is_word(char c) {
  return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

// '.', '_', "__" or any number of '-' between letters and digits.
bool valid_separator(std::string_view run) {
  if (run == "." || run == "_" || run == "__") return true;
  return run.find_first_not_of('-') == std::string_view::npos;
}

bool valid_component(std::string_view component) {
  if (component.empty() || !is_lower_alphanumeric(component.front())) return false;
  if (!is_lower_alphanumeric(component.back())) return false;
  std::size_t at = 0;
  while (at < component.size()) {
    if (is_lower_alphanumeric(component[at])) {
      ++at;
      continue;
    }
    const auto start = at;
    while (at < component.size() && !is_lower_alphanumeric(component[at])) ++at;
    if (!valid_separator(component.substr(start, at - start))) return false;
  }
  return true;
}

// "host.name:port", "127.0.0.1", "[::1]:5000": letters that cannot start a path, a query or a login.
bool valid_host(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  for (const char c : host) {
    if (!is_word(c) && c != '.' && c != '-' && c != ':' && c != '[' && c != ']') return false;
  }
  return host.front() != ':' && host.back() != ':';
}

bool is_host(std::string_view first_part) {
  return first_part == "localhost" || first_part.find_first_of(".:") != std::string_view::npos;
}

}  // namespace

Digest::Digest() : text_("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") {}

std::optional<Digest> Digest::parse(std::string_view text) {
  for (const auto& name : {kSha256, kSha512}) {
    if (text.size() != name.prefix.size() + name.digits || !text.starts_with(name.prefix)) continue;
    if (text.substr(name.prefix.size()).find_first_not_of("0123456789abcdef") != text.npos)
      return std::nullopt;
    return Digest(std::string(text));
  }
  return std::nullopt;
}

Digest Digest::of(std::string_view bytes, core::HashAlgorithm algorithm) {
  return Digest(std::string(name_of(algorithm).prefix) + core::hash_hex(algorithm, bytes));
}

std::optional<Digest> Digest::from_hex(core::HashAlgorithm algorithm, std::string_view hex) {
  return parse(std::string(name_of(algorithm).prefix) + std::string(hex));
}

std::optional<Digest> Digest::from_raw(std::string_view bytes) {
  for (const auto& name : {kSha256, kSha512}) {
    if (bytes.size() * 2 == name.digits) return Digest(std::string(name.prefix) + core::to_hex(bytes));
  }
  return std::nullopt;
}

std::string Digest::raw() const {
  return *core::from_hex(hex());
}

core::HashAlgorithm Digest::algorithm() const {
  return text_.size() == kSha256.prefix.size() + kSha256.digits ? core::HashAlgorithm::kSha256
                                                                : core::HashAlgorithm::kSha512;
}

std::optional<Reference> Reference::parse(std::string_view text) {
  if (text.size() > kLongestReference) return std::nullopt;
  Reference reference;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    reference.digest = Digest::parse(text.substr(at + 1));
    if (!reference.digest) return std::nullopt;
    text = text.substr(0, at);
  }
  if (const auto slash = text.find('/'); slash != std::string_view::npos && is_host(text.substr(0, slash))) {
    reference.host = text.substr(0, slash);
    if (!valid_host(reference.host)) return std::nullopt;
    text = text.substr(slash + 1);
  }
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    reference.tag = text.substr(colon + 1);
    if (!valid_tag(reference.tag)) return std::nullopt;
    text = text.substr(0, colon);
  }
  if (!valid_repository(text)) return std::nullopt;
  reference.repository = text;
  if (reference.tag.empty() && !reference.digest) reference.tag = "latest";
  return reference;
}

std::string Reference::str() const {
  std::string text = host.empty() ? repository : host + '/' + repository;
  if (!tag.empty()) text += ':' + tag;
  if (digest) text += '@' + digest->str();
  return text;
}

bool valid_repository(std::string_view name) {
  if (name.empty() || name.size() > kLongestRepository) return false;
  while (true) {
    const auto slash = name.find('/');
    if (!valid_component(name.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    name = name.substr(slash + 1);
  }
}

bool valid_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > kLongestTag || !is_word(tag.front())) return false;
  for (const char c : tag) {
    if (!is_word(c) && c != '.' && c != '-') return false;
  }
  return true;
}

}  // namespace sampan::image
