// A visitor of the application in tests: keeps cookies and the forms' token, as a browser does.
#pragma once

#include "web/app.h"

namespace shop {

class Browser {
 public:
  explicit Browser(web::App& app, core::Language language = core::Language::kVietnamese)
      : app_(app), language_(language) {}

  web::Response get(const std::string& target) { return send("GET", target, {}, {}); }
  // A form: the token goes with it.
  web::Response post(const std::string& target, web::Fields form) {
    form.emplace("csrf", csrf());
    return send("POST", target, std::move(form), {});
  }
  // A call of the JSON API.
  web::Response call(const std::string& method, const std::string& target, std::string body = {}) {
    return send(method, target, {}, std::move(body));
  }
  // The token of this visitor's forms.
  std::string csrf() {
    if (cookies.empty()) get("/api/v1/session");
    return web::Session{cookies.begin()->second, false, {}}.csrf();
  }

  web::Fields cookies;
  web::Fields headers;

 private:
  web::Response send(const std::string& method, const std::string& target, web::Fields form,
                     std::string body) {
    web::Request request;
    request.id = "test";
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    if (const auto mark = target.find('?'); mark != target.npos)
      request.query = web::parse_form(target.substr(mark + 1));
    if (request.path.starts_with("/en/")) {
      request.language = core::Language::kEnglish;
      request.path.erase(0, 3);
    } else {
      request.language = language_;
    }
    request.form = std::move(form);
    request.body = std::move(body);
    request.headers = headers;
    const bool has_token = request.headers.contains("x-csrf-token") || request.form.contains("csrf");
    if (method != "GET" && !has_token && !cookies.empty()) request.headers["x-csrf-token"] = csrf();
    request.cookies = cookies;
    auto response = app_.handle(std::move(request));
    for (const auto& [name, value] : response.headers) {
      if (name != "Set-Cookie") continue;
      const auto equals = value.find('=');
      cookies[value.substr(0, equals)] = value.substr(equals + 1, value.find(';') - equals - 1);
    }
    return response;
  }

  web::App& app_;
  core::Language language_;
};

}  // namespace shop
