// A dispatcher with real generated services behind it, a known key, and requests put together by hand: what
// the tests of this folder call through.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <map>
#include <string>

#include "aws/dispatcher.h"
#include "aws/sigv4.h"
#include "aws/time_text.h"
#include "core/metrics.h"
#include "core/random.h"

namespace sampan::api {

class StringBody final : public http::BodyReader {
 public:
  explicit StringBody(std::string text) : text_(std::move(text)) {}
  boost::asio::awaitable<std::size_t> read_some(std::span<char> buffer) override {
    const auto count = std::min(buffer.size(), text_.size() - at_);
    std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(at_), count, buffer.begin());
    at_ += count;
    co_return count;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

class OneKey final : public aws::Authenticator {
 public:
  explicit OneKey(bool verifies) : verifies_(verifies) {
    identity_ = {"123456789012", "AKIDEXAMPLE", "secret", "", "arn:aws:iam::123456789012:root", std::nullopt};
  }
  std::shared_ptr<const aws::Identity> lookup(std::string_view key) override {
    if (verifies_ && key != identity_.access_key) return nullptr;
    return std::make_shared<aws::Identity>(identity_);
  }
  bool verifies() const override { return verifies_; }
  aws::Identity& identity() { return identity_; }

 private:
  bool verifies_;
  aws::Identity identity_;
};

struct Answer {
  int status = 0;
  std::string body;
  http::Headers headers;
};

class Front {
 public:
  explicit Front(bool verifies = false, aws::DispatcherOptions options = {})
      : key(verifies), dispatcher(executors, key, clock, ids, options) {}

  Answer send(http::Request request, const std::string& text) {
    StringBody body(text);
    Answer answer;
    std::exception_ptr failure;
    boost::asio::co_spawn(executors.net(), dispatcher.handle(request, body),
                          [&](std::exception_ptr error, http::Response response) {
                            failure = error;
                            answer = {response.status, std::get<std::string>(response.body),
                                      response.headers};
                          });
    executors.net().restart();
    executors.net().run();
    if (failure) std::rethrow_exception(failure);
    return answer;
  }

  static http::Request post() {
    http::Request request{"POST", "/", {}, "127.0.0.1", false, std::nullopt};
    request.headers.set("Host", "localhost:4566");
    return request;
  }
  static http::Request json_request(std::string_view target) {
    auto request = post();
    request.headers.set("Content-Type", "application/x-amz-json-1.1");
    request.headers.set("X-Amz-Target", std::string(target));
    return request;
  }
  static http::Request form_request() {
    auto request = post();
    request.headers.set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    return request;
  }
  Answer json(std::string_view target, const std::string& body) { return send(json_request(target), body); }
  Answer form(const std::string& body) { return send(form_request(), body); }
  Answer signed_json(std::string_view target, const std::string& body, std::string_view service) {
    auto request = json_request(target);
    aws::sign_request(request, body, credentials, "eu-west-1", service, clock.now());
    return send(std::move(request), body);
  }

  core::ManualClock clock{*aws::parse_amz_date("20260102T030405Z")};
  core::SeededIdSource ids{1};
  io::Executors executors{1, 1};
  OneKey key;
  aws::Credentials credentials{"AKIDEXAMPLE", "secret", ""};
  aws::Dispatcher dispatcher;
};

}  // namespace sampan::api
