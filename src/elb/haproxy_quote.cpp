#include "elb/haproxy_quote.h"

#include <fmt/core.h>

namespace sampan::elb {
namespace {

bool harmless(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '/' ||
         c == '_' || c == '-' || c == ':' || c == '=' || c == ';';
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (harmless(c)) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string escape_format(std::string_view text) {
  std::string doubled;
  for (const char c : text) {
    if (c == '%') doubled += '%';
    doubled += c;
  }
  return escape(doubled);
}

std::string quote(std::string_view text) {
  return '"' + escape(text) + '"';
}
std::string quote_format(std::string_view text) {
  return '"' + escape_format(text) + '"';
}

std::string fetch_with(std::string_view function, std::string_view argument) {
  return fmt::format("{}(\\x22{}\\x22)", function, escape(argument));
}

std::string glob_to_regex(std::string_view glob, std::string_view any) {
  static constexpr std::string_view kSpecial = "\\^$.|()[]{}+-#/";
  std::string out;
  for (std::size_t i = 0; i < glob.size(); ++i) {
    char c = glob[i];
    // A backslash takes a wildcard's meaning away.
    if (c == '\\' && i + 1 < glob.size()) {
      c = glob[++i];
      if (kSpecial.find(c) != std::string_view::npos || c == '*' || c == '?') out += '\\';
      out += c;
    } else if (c == '*') {
      out += fmt::format("{}*", any);
    } else if (c == '?') {
      out += any;
    } else {
      if (kSpecial.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace sampan::elb
