// Requests and responses as the pages see them: values. What speaks HTTP is server.h alone.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/language.h"
#include "web/session.h"

namespace shop::web {

using Fields = std::map<std::string, std::string, std::less<>>;

struct Request {
  std::string id;      // in the log and in X-Request-Id
  std::string method;  // "GET"; HEAD comes as GET
  std::string path;    // decoded, without the language: "/san-pham/nhan-tron"
  core::Language language = core::Language::kVietnamese;
  Fields query;
  Fields headers;  // names in lower case
  Fields cookies;
  Fields form;  // of an application/x-www-form-urlencoded body
  std::string body;
  Fields captures;  // what the route's {names} stand for
  Session session;  // empty for what needs none (files, health)

  std::string_view param(std::string_view name) const { return find(query, name); }
  std::string_view field(std::string_view name) const { return find(form, name); }
  std::string_view header(std::string_view name) const { return find(headers, name); }
  std::string_view capture(std::string_view name) const { return find(captures, name); }

 private:
  static std::string_view find(const Fields& fields, std::string_view name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
  }
};

struct Response {
  int status = 200;
  std::string type = "text/html; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;

  Response& header(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};
Response redirect(const std::string& location, int status = 303);
Response json(int status, std::string body);

using Handler = std::function<Response(const Request&)>;

// "/san-pham/{slug}": literal parts win over captured ones.
class Router {
 public:
  void on(std::string method, std::string_view pattern, Handler handler);
  // Finds, fills the captures and runs; throws core::Refusal (not found), or answers 405 with Allow.
  Response run(Request& request) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> parts;
    Handler handler;
  };
  std::vector<Route> routes_;
};

// "a=1&b=%20": names and values decoded; the first of a name counts. At most 200 of them.
Fields parse_form(std::string_view text);
Fields parse_cookies(std::string_view header);
std::string url_encode(std::string_view text);

}  // namespace shop::web
