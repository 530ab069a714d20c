#include "cli/session.h"

#include <unistd.h>

#include <cstdlib>

#include "aws/sigv4.h"
#include "core/text.h"
#include "io/file.h"

namespace sampan::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::filesystem::path home() {
  auto written = environment("HOME");
  return written.empty() ? "/root" : written;
}

std::filesystem::path aws_file(const char* variable, const char* name) {
  auto written = environment(variable);
  return written.empty() ? home() / ".aws" / name : std::filesystem::path(written);
}

// The value of `key` in `[section]` of an ini text.
std::optional<std::string> ini_value(const std::string& text, const std::string& section, const std::string& key) {
  bool inside = false;
  for (const auto& raw : core::split(text, '\n')) {
    auto line = core::trim(raw);
    if (line.starts_with('[')) {
      inside = line == "[" + section + "]";
      continue;
    }
    auto equals = line.find('=');
    if (inside && equals != std::string_view::npos && core::trim(line.substr(0, equals)) == key) {
      return std::string(core::trim(line.substr(equals + 1)));
    }
  }
  return std::nullopt;
}

// The AWS config file has [profile NAME] but [default].
std::optional<std::string> config_value(const std::string& profile, const std::string& key) {
  auto text = io::read_file_if_exists(aws_file("AWS_CONFIG_FILE", "config"));
  if (!text) return std::nullopt;
  return ini_value(*text, profile == "default" ? profile : "profile " + profile, key);
}

}  // namespace

std::optional<aws::Credentials> read_credentials(const std::filesystem::path& file, const std::string& profile) {
  auto text = io::read_file_if_exists(file);
  if (!text) return std::nullopt;
  auto key = ini_value(*text, profile, "aws_access_key_id");
  auto secret = ini_value(*text, profile, "aws_secret_access_key");
  if (!key || !secret) return std::nullopt;
  return aws::Credentials{*key, *secret, ini_value(*text, profile, "aws_session_token").value_or("")};
}

void Session::configure(std::string endpoint, std::string region, Places places, bool json) {
  auto profile = environment("AWS_PROFILE");
  auto first = [](std::initializer_list<std::string> choices) {
    for (const auto& choice : choices) {
      if (!choice.empty()) return choice;
    }
    return std::string();
  };
  endpoint_ = first({endpoint, environment("SAMPAN_ENDPOINT"), environment("AWS_ENDPOINT_URL"),
                     profile.empty() ? "" : config_value(profile, "endpoint_url").value_or(""), "http://127.0.0.1:4566"});
  while (endpoint_.ends_with('/')) endpoint_.pop_back();
  if (endpoint_.find("://") == std::string::npos) endpoint_ = "http://" + endpoint_;
  region_ = first({region, environment("AWS_REGION"), environment("AWS_DEFAULT_REGION"),
                   profile.empty() ? "" : config_value(profile, "region").value_or(""), "us-east-1"});
  places_ = std::move(places);
  json_ = json;
  interactive_ = ::isatty(STDOUT_FILENO) == 1;
}

std::string Session::registry_host() const {
  auto host = endpoint_.substr(endpoint_.find("://") + 3);
  auto colon = host.rfind(':');
  auto name = host.substr(0, colon);
  if (name.starts_with("127.") || name == "[::1]") name = "localhost";
  return colon == std::string::npos ? name : name + host.substr(colon);
}

aws::Credentials Session::credentials() const {
  auto key = environment("AWS_ACCESS_KEY_ID"), secret = environment("AWS_SECRET_ACCESS_KEY");
  if (!key.empty() && !secret.empty()) return {key, secret, environment("AWS_SESSION_TOKEN")};
  auto profile = environment("AWS_PROFILE");
  auto file = aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
  if (!profile.empty()) {
    if (auto found = read_credentials(file, profile)) return *found;
  }
  // The instance's own root key: this machine's administrator can read it.
  if (::access((places_.data_dir / "credentials").c_str(), R_OK) == 0) {
    if (auto found = read_credentials(places_.data_dir / "credentials", "default")) return *found;
  }
  for (const char* name : {"sampan", "default"}) {
    if (auto found = read_credentials(file, name)) return *found;
  }
  throw UsageError("no access key was found: run `sampan configure` as root on the daemon's machine, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

bool Session::answers() {
  http::ClientRequest ask;
  ask.url = endpoint_ + "/health";
  ask.timeout = std::chrono::seconds(2);
  try {
    return run(http::fetch(std::move(ask))).status == 200;
  } catch (const core::Error&) {
    return false;
  }
}

core::Error Session::nobody_there(const std::string& why) const {
  return core::Error("no Sampan answers at " + endpoint_ + " (" + why + "); start one with: sampan up");
}

// Without a daemon there was never a key to find: that is what the user must hear first.
aws::Credentials Session::working_credentials() {
  try {
    return credentials();
  } catch (const UsageError&) {
    if (!answers()) throw nobody_there("and no access key was found");
    throw;
  }
}

aws::Client& Session::client() {
  if (!client_) client_ = std::make_unique<aws::Client>(endpoint_, region_, working_credentials());
  return *client_;
}

http::ClientRequest Session::signed_request(const std::string& method, const std::string& target) {
  http::Request head;
  head.method = method;
  head.target = target;
  head.headers.set("Host", endpoint_.substr(endpoint_.find("://") + 3));
  head.headers.set("X-Amz-Content-Sha256", std::string(aws::kUnsignedPayload));
  aws::sign_request(head, {}, working_credentials(), region_, "sampan", core::SystemClock().now());
  http::ClientRequest request;
  request.method = method;
  request.url = endpoint_ + target;
  for (const auto& [name, value] : head.headers) {
    if (!core::equal_ignoring_case(name, "Host")) request.headers.add(name, value);
  }
  return request;
}

http::ClientResponse Session::request(const std::string& method, const std::string& target, std::string body,
                                      std::chrono::milliseconds timeout) {
  auto request = signed_request(method, target);
  request.body = std::move(body);
  request.timeout = timeout;
  return exchange(http::fetch(std::move(request)));
}

http::ClientResponse Session::upload(const std::string& target, const std::filesystem::path& file,
                                     const std::string& header, const std::vector<std::string>& values) {
  auto request = signed_request("POST", target);
  for (const auto& value : values) request.headers.add(header, value);
  request.body_file = file;
  request.timeout = std::chrono::minutes(10);
  return exchange(http::fetch(std::move(request)));
}

}  // namespace sampan::cli
