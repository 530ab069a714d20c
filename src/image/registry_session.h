// Calls to one other registry as somebody: the logins it asks for, their tokens, tries again when it falters.
//
// Tokens are kept by scope until they end, and asked for anew when the registry no longer takes one.
// Thread-safe; each call runs on its caller's executor.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "http/client.h"
#include "image/challenge.h"
#include "image/registry_network.h"
#include "image/retry.h"
#include "io/executors.h"

namespace sampan::image {

struct RegistryLogin {
  std::string user;
  std::string password;
  bool operator==(const RegistryLogin&) const = default;
};

class RegistrySession {
 public:
  RegistrySession(RegistryNetwork& network, RegistryAddress address, std::optional<RegistryLogin> login);

  // The request's URL is completed here: `request.url` is what follows "https://host". Gives any answer that
  // is one (200, 404, 416 …); throws RegistryFailure for 401, 403, 408, 429, 5xx and when none came.
  // `tried` opens its words. With a `sink` there is one try, as what was handed on cannot be taken back.
  io::Awaitable<http::ClientResponse> ask(http::ClientRequest request, std::string scope, std::string tried,
                                          Patience patience = {});
  io::Awaitable<http::ClientResponse> ask_to(http::ClientRequest request, std::string scope,
                                             std::string tried, http::BodySink sink, Patience patience = {});
  // A header of every request to the registry. Before the first.
  void send_always(std::string name, std::string value) { always_.set(std::move(name), std::move(value)); }
  const RegistryAddress& address() const { return address_; }
  const std::optional<RegistryLogin>& login() const { return login_; }

 private:
  struct Token {
    std::string authorization;
    std::chrono::steady_clock::time_point ends;
  };
  io::Awaitable<http::ClientResponse> try_once(http::ClientRequest request, std::string scope,
                                               std::string tried, const http::BodySink* sink);
  io::Awaitable<http::ClientResponse> send(http::ClientRequest request, std::string tried,
                                           const http::BodySink* sink);
  io::Awaitable<bool> log_in(const http::ClientResponse& refused, std::string scope, std::string tried);
  io::Awaitable<void> fetch_token(const Challenge& challenge, std::string scope, std::string tried);
  void check_realm(const std::string& realm, const std::string& tried) const;
  void keep(const std::string& scope, std::string authorization, std::chrono::seconds lasts);
  std::string authorization_for(const std::string& scope);
  void forget(const std::string& scope);

  RegistryNetwork& network_;
  const RegistryAddress address_;
  const std::optional<RegistryLogin> login_;
  const http::ReachRule may_reach_;
  http::Headers always_;
  std::mutex mutex_;
  std::map<std::string, Token> tokens_;  // by scope
};

// What a registry says went wrong, in one line of at most some hundred characters.
std::string reason_of(const http::ClientResponse& response);

}  // namespace sampan::image
