#include "http/response_head.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>

#include "core/error.h"
#include "core/text.h"

namespace sampan::http {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Rendered once a second a thread: it is in every response.
std::string_view date_now() {
  thread_local std::int64_t rendered_for = -1;
  thread_local std::string rendered;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != rendered_for) {
    rendered_for = now.tv_sec;
    rendered = render_http_date(now.tv_sec);
  }
  return rendered;
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

bool is_framing(std::string_view name) {
  return core::equal_ignoring_case(name, "content-length") || core::equal_ignoring_case(name, "connection") ||
         core::equal_ignoring_case(name, "transfer-encoding");
}

std::uint64_t body_size(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return text->size();
  return std::get<FileBody>(response.body).length;
}

std::optional<std::uint64_t> announced_length(const Request& request, const Response& response) {
  if (response.status < 200 || response.status == 204) return std::nullopt;  // RFC 9110, 8.6: must not
  if (response.status == 304) return response.head_length;
  if (request.method == "HEAD" && response.head_length) return response.head_length;
  return body_size(response);
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

std::string render_http_date(std::int64_t epoch_seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(epoch_seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool carries_body(int status, std::string_view method) {
  return status >= 200 && status != 204 && status != 304 && method != "HEAD";
}

void append_response_head(std::string& out, const Request& request, const Response& response, bool keep_alive,
                          bool http_1_0) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(std::max(response.status, 0)));
  out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  append_field(out, "Date", date_now());
  append_field(out, "Server", "sampan");
  for (const auto& [name, value] : response.headers) {
    if (is_framing(name)) continue;
    if (!is_token(name) || !is_field_value(value)) {
      throw core::Error("send the header field " + name.substr(0, 64),
                        "it holds a line break or a separator");
    }
    append_field(out, name, value);
  }
  if (const auto length = announced_length(request, response)) {
    out.append("Content-Length: ");
    append_number(out, *length);
    out.append("\r\n");
  }
  if (!keep_alive) {
    out.append("Connection: close\r\n");
  } else if (http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

}  // namespace sampan::http
