#include "web/http.h"

#include "core/error.h"

namespace shop::web {
namespace {

constexpr std::size_t kMostFields = 200;

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at < path.size()) {
    const auto slash = std::min(path.find('/', at), path.size());
    if (slash > at) parts.emplace_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return parts;
}

bool is_capture(const std::string& part) {
  return part.size() > 2 && part.front() == '{' && part.back() == '}';
}

// Nothing when it does not match; else how many parts are literal.
std::optional<int> match(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
                         Fields& captures) {
  if (pattern.size() != path.size()) return std::nullopt;
  int literal = 0;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (is_capture(pattern[at])) {
      captures[pattern[at].substr(1, pattern[at].size() - 2)] = path[at];
    } else if (pattern[at] == path[at]) {
      ++literal;
    } else {
      return std::nullopt;
    }
  }
  return literal;
}

int hex(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string decode(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      plain.push_back(' ');
    } else if (text[at] == '%' && at + 2 < text.size() && hex(text[at + 1]) >= 0 && hex(text[at + 2]) >= 0) {
      plain.push_back(static_cast<char>(hex(text[at + 1]) * 16 + hex(text[at + 2])));
      at += 2;
    } else {
      plain.push_back(text[at]);
    }
  }
  return plain;
}

}  // namespace

Response redirect(const std::string& location, int status) {
  Response response;
  response.status = status;
  response.header("Location", location);
  return response;
}

Response json(int status, std::string body) {
  Response response;
  response.status = status;
  response.type = "application/json; charset=utf-8";
  response.body = std::move(body);
  return response;
}

void Router::on(std::string method, std::string_view pattern, Handler handler) {
  routes_.push_back({std::move(method), split_path(pattern), std::move(handler)});
}

Response Router::run(Request& request) const {
  const auto path = split_path(request.path);
  const Route* best = nullptr;
  int best_literal = -1;
  std::string allowed;
  for (const auto& route : routes_) {
    Fields captures;
    const auto literal = match(route.parts, path, captures);
    if (!literal) continue;
    if (route.method != request.method) {
      allowed += (allowed.empty() ? "" : ", ") + route.method;
      continue;
    }
    if (*literal <= best_literal) continue;
    best = &route;
    best_literal = *literal;
    request.captures = std::move(captures);
  }
  if (best) return best->handler(request);
  if (allowed.empty()) throw core::Refusal(core::Refusal::Kind::kNotFound, "page_not_found");
  Response response;
  response.status = 405;
  response.type = "text/plain; charset=utf-8";
  response.body = "Method not allowed\n";
  response.header("Allow", allowed);
  return response;
}

Fields parse_form(std::string_view text) {
  Fields fields;
  while (!text.empty() && fields.size() < kMostFields) {
    const auto part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty()) continue;
    const auto equals = std::min(part.find('='), part.size());
    fields.emplace(decode(part.substr(0, equals)), decode(part.substr(std::min(part.size(), equals + 1))));
  }
  return fields;
}

Fields parse_cookies(std::string_view header) {
  Fields cookies;
  while (!header.empty() && cookies.size() < kMostFields) {
    auto part = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(header.size(), part.size() + 1));
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    const auto equals = part.find('=');
    if (equals != part.npos)
      cookies.emplace(std::string(part.substr(0, equals)), std::string(part.substr(equals + 1)));
  }
  return cookies;
}

std::string url_encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool safe = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                      (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' || byte == '_' ||
                      byte == '~';
    if (safe) {
      encoded.push_back(letter);
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace shop::web
