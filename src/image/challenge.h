// What a registry asks for before it lets anybody in: the WWW-Authenticate header. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sampan::image {

struct Challenge {
  std::string scheme;                             // lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // "realm", "service", "scope"
};

// `Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"`
std::optional<Challenge> parse_challenge(std::string_view header);

}  // namespace sampan::image
