#include "http/message.h"

#include <algorithm>

#include "core/encoding.h"
#include "core/text.h"

namespace sampan::http {

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (core::equal_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string_view Headers::get(std::string_view name) const {
  return find(name).value_or(std::string_view());
}

void Headers::set(std::string_view name, std::string value) {
  erase(name);
  add(name, std::move(value));
}

void Headers::add(std::string_view name, std::string value) {
  if (fields_.capacity() == 0) fields_.reserve(8);
  fields_.emplace_back(name, std::move(value));
}

void Headers::erase(std::string_view name) {
  std::erase_if(fields_, [name](const auto& field) { return core::equal_ignoring_case(field.first, name); });
}

std::string_view Request::raw_path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view Request::raw_query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view raw) {
  // What cannot be decoded stays as it was sent: the reader of the parameter refuses it with its own words.
  const auto decode = [](std::string_view text) {
    return core::percent_decode(text, true).value_or(std::string(text));
  };
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!raw.empty()) {
    const std::size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view pair = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::size_t value = std::min(equals + 1, pair.size());
    pairs.emplace_back(decode(pair.substr(0, equals)), decode(pair.substr(value)));
  }
  return pairs;
}

boost::asio::awaitable<std::string> BodyReader::read_all(std::size_t limit) {
  constexpr std::size_t kFirstPiece = 4096;
  std::string body;
  std::size_t used = 0;
  while (true) {
    // One byte more than allowed tells a body at the limit from one beyond it.
    if (used == body.size()) body.resize(std::min(limit + 1, std::max(kFirstPiece, body.size() * 2)));
    const std::size_t n = co_await read_some(std::span<char>(body.data() + used, body.size() - used));
    if (n == 0) break;
    used += n;
    if (used > limit) throw BodyTooLarge("the body is larger than " + std::to_string(limit) + " bytes");
  }
  body.resize(used);
  co_return body;
}

Response Response::text(int status, std::string body, std::string_view content_type) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", std::string(content_type));
  response.body = std::move(body);
  return response;
}

}  // namespace sampan::http
