#include "ecr/conditional.h"

#include <fmt/core.h>

#include "core/text.h"
#include "ecr/ranges.h"
#include "ecr/registry_error.h"

namespace sampan::ecr {
namespace {

// A list of tags, weak ones too: for "has it changed" they are as good.
bool names(std::string_view list, std::string_view etag) {
  for (const auto& part : core::split(list, ',')) {
    auto tag = core::trim(part);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == "*" || tag == etag) return true;
  }
  return false;
}

std::uint64_t size_of(const http::Response& response) {
  if (response.head_length) return *response.head_length;
  if (const auto* file = std::get_if<http::FileBody>(&response.body)) return file->length;
  return std::get<std::string>(response.body).size();
}

void cut(http::Response& response, const ByteRange& range) {
  if (auto* file = std::get_if<http::FileBody>(&response.body)) {
    file->offset += range.offset;
    file->length = range.length;
    return;
  }
  auto& text = std::get<std::string>(response.body);
  text = text.substr(range.offset, range.length);
}

}  // namespace

http::Response conditional(const http::Request& request, http::Response whole) {
  const std::string etag(whole.headers.get("ETag"));
  if (const auto known = request.headers.find("If-None-Match"); known && names(*known, etag)) {
    http::Response unchanged;
    unchanged.status = 304;
    unchanged.headers = std::move(whole.headers);
    unchanged.headers.erase("Content-Type");
    return unchanged;
  }
  whole.headers.set("Accept-Ranges", "bytes");
  if (request.method != "GET") return whole;
  // The rest of what the reader has already, if it still is that; else all of it.
  if (const auto same = request.headers.find("If-Range"); same && core::trim(*same) != etag) return whole;
  const auto size = size_of(whole);
  const auto range = parse_range(request.headers.get("Range"), size);
  if (range.kind == ByteRange::Kind::kWhole) return whole;
  if (range.kind == ByteRange::Kind::kUnsatisfiable) {
    throw RegistryError(416, "RANGE_INVALID", "The content has no such bytes")
        .header("Content-Range", fmt::format("bytes */{}", size));
  }
  whole.status = 206;
  whole.headers.set("Content-Range",
                    fmt::format("bytes {}-{}/{}", range.offset, range.offset + range.length - 1, size));
  cut(whole, range);
  return whole;
}

}  // namespace sampan::ecr
