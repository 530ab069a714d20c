// registry refresh: compares a cached tag with its upstream now.
#include <fmt/core.h>

#include <boost/json.hpp>

#include "api/ecr.h"
#include "cli/commands.h"
#include "core/error.h"

namespace sampan::cli {
namespace {

namespace json = boost::json;
namespace ecr = api::ecr;

constexpr std::chrono::minutes kPatience{5};

// What a registry says went wrong.
std::string reason(const http::ClientResponse& response) {
  boost::system::error_code bad;
  const auto value = json::parse(response.body, bad);
  if (!bad && value.is_object()) {
    const auto* errors = value.get_object().if_contains("errors");
    if (errors && errors->is_array() && !errors->get_array().empty() && errors->get_array().front().is_object()) {
      const auto* message = errors->get_array().front().get_object().if_contains("message");
      if (message && message->is_string()) return std::string(message->get_string());
    }
  }
  return fmt::format("the registry answered {}", response.status);
}

struct Named {
  std::string repository;
  std::string reference;
};

// "mirror/app:1", "localhost:4566/mirror/app@sha256:…"; "latest" where nothing is said.
Named parse_name(const std::string& text, const std::string& own_host) {
  auto name = text.starts_with(own_host + '/') ? text.substr(own_host.size() + 1) : text;
  const auto at = name.find('@');
  const auto colon = at == std::string::npos ? name.rfind(':') : at;
  const bool tagged = colon != std::string::npos && name.find('/', colon) == std::string::npos;
  Named named{tagged ? name.substr(0, colon) : name, tagged ? name.substr(colon + 1) : "latest"};
  if (named.repository.empty() || named.reference.empty()) throw UsageError("'" + text + "' names no image");
  return named;
}

// An ordinary pull that takes nothing from the cache unasked (RFC 9111's no-cache).
void refresh(Session& session, const std::string& name) {
  const auto named = parse_name(name, session.registry_host());
  const auto answer = session.call<ecr::ops::GetAuthorizationToken>({});
  const auto& given = answer.authorizationData.value().at(0).authorizationToken.value();
  http::ClientRequest request;
  request.url = fmt::format("{}/v2/{}/manifests/{}", session.endpoint(), named.repository, named.reference);
  request.headers.set("Authorization", "Basic " + given);
  request.headers.set("Cache-Control", "no-cache");
  request.timeout = kPatience;
  const auto response = session.run(http::fetch(std::move(request)));
  if (response.status != 200) throw core::Error("refresh " + name, reason(response));
  const std::string digest(response.headers.get("Docker-Content-Digest"));
  if (session.json()) {
    fmt::print("{}\n", json::serialize(json::object{{"image", name}, {"digest", digest}}));
  } else {
    fmt::print("{}@{}\n", named.repository, digest);
  }
}

}  // namespace

void add_refresh(CLI::App& registry, Session& session) {
  auto name = std::make_shared<std::string>();
  auto* command = registry.add_subcommand("refresh", "Compare a tag of a pull-through cache with its upstream, now");
  command->add_option("IMAGE", *name, "NAME:TAG")->required();
  command->callback([name, &session] { refresh(session, *name); });
  command->fallthrough();
}

}  // namespace sampan::cli
