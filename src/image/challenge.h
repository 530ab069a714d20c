// What a registry asks for before it lets anybody in: the WWW-Authenticate header. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::image {

struct Challenge {
  std::string scheme;                             // lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // "realm", "service", "scope"
};

// `Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"`
std::optional<Challenge> parse_challenge(std::string_view header);

// All challenges of a response, from one header field or several; what cannot be read is left out. At most 8.
std::vector<Challenge> parse_challenges(const std::vector<std::string_view>& headers);

}  // namespace sampan::image
