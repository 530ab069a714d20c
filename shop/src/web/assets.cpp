#include "web/assets.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "art/jewel.h"
#include "core/error.h"
#include "core/resources.h"

namespace shop::web {
namespace {

constexpr std::string_view kFolder = "static/";
constexpr char kForEver[] = "public, max-age=31536000, immutable";

// FNV-1a: names need no more than to differ when the content does.
std::string fingerprint(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  char text[17];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(hash ^ hash >> 32));
  return text;
}

std::string type_of(std::string_view name) {
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  if (name.ends_with(".woff2")) return "font/woff2";
  return "application/octet-stream";
}

[[noreturn]] void not_found() {
  throw core::Refusal(core::Refusal::Kind::kNotFound, "page_not_found");
}

bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

}  // namespace

Assets::Assets() {
  const auto& files = core::resources();
  for (auto file = files.lower_bound(kFolder); file != files.end() && file->first.starts_with(kFolder);
       ++file) {
    const auto name = file->first.substr(kFolder.size());
    const auto dot = name.rfind('.');
    const auto mark = fingerprint(file->second);
    const auto url_name = name.substr(0, dot) + '.' + mark + name.substr(dot);
    url_names_[name] = url_name;
    by_url_name_[url_name] = {file->second, type_of(name), '"' + mark + '"'};
  }
}

std::string Assets::url(std::string_view name) const {
  const auto found = url_names_.find(name);
  return "/tinh/" + (found == url_names_.end() ? std::string(name) : found->second);
}

Response Assets::file(const Request& request) const {
  const auto found = by_url_name_.find(request.capture("name"));
  if (found == by_url_name_.end()) not_found();
  Response response;
  response.type = found->second.type;
  response.header("Cache-Control", kForEver).header("ETag", found->second.etag);
  if (request.header("if-none-match") == found->second.etag) {
    response.status = 304;
    return response;
  }
  response.body = found->second.bytes;
  return response;
}

std::string Assets::drawing_url(std::string_view design, std::string_view colour, std::string_view stone) {
  return "/anh/" + std::string(design) + '_' + std::string(colour) + '_' +
         std::string(stone.empty() ? "none" : stone) + ".svg";
}

Response Assets::drawing(const Request& request) const {
  auto name = request.capture("name");
  if (!name.ends_with(".svg")) not_found();
  name.remove_suffix(4);
  const auto first = name.find('_');
  const auto second = name.rfind('_');
  if (first == name.npos || first == second) not_found();
  const auto design = name.substr(0, first);
  const auto colour = name.substr(first + 1, second - first - 1);
  const auto stone = name.substr(second + 1);
  const auto designs = art::designs();
  if (!is_plain(colour) || !is_plain(stone) ||
      std::find(designs.begin(), designs.end(), design) == designs.end())
    not_found();
  Response response;
  response.type = "image/svg+xml";
  response.body = art::draw({design, colour, stone == "none" ? std::string_view() : stone});
  response.header("Cache-Control", kForEver);
  return response;
}

}  // namespace shop::web
