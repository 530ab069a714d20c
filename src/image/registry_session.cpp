#include "image/registry_session.h"

#include <fmt/core.h>

#include "core/encoding.h"
#include "core/log.h"
#include "core/text.h"
#include "image/json_fields.h"

namespace sampan::image {
namespace {

constexpr std::size_t kLargestToken = 1024 * 1024;
constexpr std::size_t kMostTokens = 1024;  // scopes: one a repository
constexpr std::size_t kLongestReason = 400;
constexpr std::chrono::seconds kTokenLife{60};    // when the registry does not say: Docker's default
constexpr std::chrono::seconds kTokenMargin{10};  // not used when it ends so soon
constexpr std::chrono::hours kLongestLife{12};

double chance() {
  static std::atomic<std::uint64_t> state{
      0x9E3779B97F4A7C15ull ^
      static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())};
  auto z = state.fetch_add(0x9E3779B97F4A7C15ull);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return static_cast<double>((z ^ (z >> 31)) >> 11) / static_cast<double>(1ull << 53);
}

std::optional<RegistryFailure::Kind> kind_of(int status) {
  if (status == 401 || status == 403) return RegistryFailure::Kind::kDenied;
  if (status == 429) return RegistryFailure::Kind::kTooManyRequests;
  if (status == 408 || status / 100 == 5) return RegistryFailure::Kind::kUnavailable;
  return std::nullopt;
}

std::string printable(std::string text) {
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text.substr(0, kLongestReason);
}

// Throws for the answers that are failures of the registry rather than answers.
void check_status(const http::ClientResponse& response, const std::string& tried) {
  const auto kind = kind_of(response.status);
  if (!kind) return;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto wait = parse_retry_after(response.headers.get("Retry-After"), now);
  auto why = reason_of(response);
  if (*kind == RegistryFailure::Kind::kTooManyRequests) why = "its rate limit is reached: " + why;
  if (wait) why += fmt::format(" (it asks to wait {} s)", wait->count());
  throw RegistryFailure(*kind, tried, why, wait);
}

std::string parameter(const Challenge& challenge, const std::string& name) {
  const auto found = challenge.parameters.find(name);
  return found == challenge.parameters.end() ? std::string() : found->second;
}

}  // namespace

std::string reason_of(const http::ClientResponse& response) {
  const auto text = fmt::format("it answered {}", response.status);
  boost::system::error_code bad;
  const auto body = boost::json::parse(response.body, bad);
  if (bad || !body.is_object()) return text;
  const auto* errors = body.get_object().if_contains("errors");
  if (!errors || !errors->is_array() || errors->get_array().empty()) return text;
  const auto& first = errors->get_array().front();
  if (!first.is_object()) return text;
  const auto word = [&first](const char* name) {
    const auto* value = first.get_object().if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  return printable(fmt::format("{} {} {}", text, word("code"), word("message")));
}

RegistrySession::RegistrySession(RegistryNetwork& network, RegistryAddress address,
                                 std::optional<RegistryLogin> login)
    : network_(network),
      address_(std::move(address)),
      login_(std::move(login)),
      may_reach_(network.rule_for(address_)) {}

std::string RegistrySession::authorization_for(const std::string& scope) {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(scope);
  if (found == tokens_.end()) return {};
  if (found->second.ends > std::chrono::steady_clock::now()) return found->second.authorization;
  tokens_.erase(found);
  return {};
}

void RegistrySession::forget(const std::string& scope) {
  const std::lock_guard lock(mutex_);
  tokens_.erase(scope);
}

void RegistrySession::keep(const std::string& scope, std::string authorization, std::chrono::seconds lasts) {
  const auto ends = std::chrono::steady_clock::now() + std::min<std::chrono::seconds>(lasts, kLongestLife);
  const std::lock_guard lock(mutex_);
  if (tokens_.size() >= kMostTokens) tokens_.clear();
  tokens_.insert_or_assign(scope, Token{std::move(authorization), ends});
}

io::Awaitable<http::ClientResponse> RegistrySession::ask(http::ClientRequest request, std::string scope,
                                                         std::string tried, Patience patience) {
  request.timeout = patience.timeout;
  for (int attempt = 1;; ++attempt) {
    std::chrono::milliseconds wait{0};
    try {
      co_return co_await try_once(request, scope, tried, nullptr);
    } catch (const RegistryFailure& failure) {
      const auto planned = plan_retry(failure, attempt, patience, chance());
      if (!planned) throw;
      core::log::info("{} (try {}, again in {} ms)", failure.what(), attempt, planned->count());
      wait = *planned;
    }
    co_await io::sleep_for(wait);
  }
}

io::Awaitable<http::ClientResponse> RegistrySession::ask_to(http::ClientRequest request, std::string scope,
                                                            std::string tried, http::BodySink sink,
                                                            Patience patience) {
  request.timeout = patience.timeout;
  co_return co_await try_once(std::move(request), std::move(scope), std::move(tried), &sink);
}

io::Awaitable<http::ClientResponse> RegistrySession::try_once(http::ClientRequest request, std::string scope,
                                                              std::string tried, const http::BodySink* sink) {
  request.url = (request.url.starts_with('/') ? address_.base_url() : std::string()) + request.url;
  request.headers.set("Via", "1.1 sampan-" + network_.name());
  for (const auto& [name, value] : always_) request.headers.set(name, value);
  for (const bool again : {true, false}) {
    if (const auto authorization = authorization_for(scope); !authorization.empty()) {
      request.headers.set("Authorization", authorization);
    } else {
      request.headers.erase("Authorization");
    }
    auto response = co_await send(request, tried, sink);
    bool admitted = false;
    if (response.status == 401 && again) {
      forget(scope);
      admitted = co_await log_in(response, scope, tried);
    }
    if (admitted) continue;
    check_status(response, tried);
    co_return response;
  }
  throw RegistryFailure(RegistryFailure::Kind::kDenied, tried, "it takes no login");
}

io::Awaitable<http::ClientResponse> RegistrySession::send(http::ClientRequest request, std::string tried,
                                                          const http::BodySink* sink) {
  request.connections = &network_.connections();
  request.may_reach = may_reach_;
  try {
    if (sink) co_return co_await http::fetch_to(request, *sink);
    co_return co_await http::fetch(request);
  } catch (const http::LastingError& error) {
    throw RegistryFailure(RegistryFailure::Kind::kRefused, tried, error.what());
  } catch (const core::Error& error) {
    throw RegistryFailure(RegistryFailure::Kind::kUnavailable, tried, error.what());
  }
}

// Bearer before Basic when it offers both.
io::Awaitable<bool> RegistrySession::log_in(const http::ClientResponse& refused, std::string scope,
                                            std::string tried) {
  std::vector<std::string_view> headers;
  for (const auto& [name, value] : refused.headers) {
    if (core::equal_ignoring_case(name, "WWW-Authenticate")) headers.push_back(value);
  }
  const auto challenges = parse_challenges(headers);
  for (const auto& challenge : challenges) {
    if (challenge.scheme != "bearer" || parameter(challenge, "realm").empty()) continue;
    co_await fetch_token(challenge, scope, tried);
    co_return true;
  }
  for (const auto& challenge : challenges) {
    if (challenge.scheme != "basic" || !login_) continue;
    keep(scope, "Basic " + core::to_base64(login_->user + ':' + login_->password), kLongestLife);
    co_return true;
  }
  co_return false;
}

// Our password goes where the registry says: never in the clear, unless to this machine or as the operator
// says.
void RegistrySession::check_realm(const std::string& realm, const std::string& tried) const {
  http::Url url;
  std::string wrong;
  try {
    url = http::parse_url(realm);
    if (url.scheme == http::Url::Scheme::kUnix) wrong = "a Unix socket";
  } catch (const core::Error& error) {
    wrong = error.what();
  }
  const bool plain = url.scheme == http::Url::Scheme::kHttp;
  if (wrong.empty() && plain && !network_.may_speak_plainly(url.host_header())) wrong = "not HTTPS";
  if (wrong.empty()) return;
  throw RegistryFailure(RegistryFailure::Kind::kRefused, tried,
                        fmt::format("for its login it names {}: {}", printable(realm), wrong));
}

io::Awaitable<void> RegistrySession::fetch_token(const Challenge& challenge, std::string scope,
                                                 std::string tried) {
  const auto realm = parameter(challenge, "realm");
  tried += fmt::format(": log in at {}", printable(realm.substr(0, realm.find('?'))));
  check_realm(realm, tried);
  const auto service = parameter(challenge, "service");
  http::ClientRequest request;
  request.url = realm + (realm.find('?') == std::string::npos ? '?' : '&');
  if (!service.empty()) request.url += "service=" + core::percent_encode(service) + '&';
  request.url += "scope=" + core::percent_encode(scope);
  request.max_body = kLargestToken;
  request.total_time = request.timeout;
  if (login_) {
    request.headers.set("Authorization", "Basic " + core::to_base64(login_->user + ':' + login_->password));
  }
  const auto response = co_await send(request, tried, nullptr);
  check_status(response, tried);
  if (response.status != 200)
    throw RegistryFailure(RegistryFailure::Kind::kDenied, tried, reason_of(response));
  std::string token;
  std::int64_t lasts = kTokenLife.count();
  try {
    const auto document = parse_json_object(response.body, kLargestToken, "its answer");
    const JsonFields fields(document.get_object(), "its answer");
    token = fields.text("token");
    if (token.empty()) token = fields.text("access_token");
    lasts = fields.integer("expires_in").value_or(lasts);
  } catch (const BadDocument& bad) {
    throw RegistryFailure(RegistryFailure::Kind::kWrong, tried, bad.what());
  }
  if (token.empty() || token.find_first_of("\r\n ") != std::string::npos) {
    throw RegistryFailure(RegistryFailure::Kind::kWrong, tried, "it gave no token");
  }
  // At least for the request that asked for it, however short-lived it is said to be.
  const auto margin = std::chrono::seconds(lasts) > 2 * kTokenMargin ? kTokenMargin : std::chrono::seconds(0);
  keep(scope, "Bearer " + token, std::max(std::chrono::seconds(lasts) - margin, std::chrono::seconds(5)));
}

}  // namespace sampan::image
