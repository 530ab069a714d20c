// Scopes of registry tokens, as Docker's token protocol writes them: "repository:team/app:pull,push". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ecr/route.h"

namespace sampan::ecr {

struct Scope {
  std::string repository;  // empty: the registry's catalog, "registry:catalog:*", which is pulled
  bool pull = false;
  bool push = false;
  bool remove = false;  // "delete"
  bool operator==(const Scope&) const = default;

  std::string str() const;
};

inline constexpr std::size_t kMostScopes = 100;  // of one token

// Several, divided by spaces. Other kinds than these, and actions that nobody knows, are left out: the token
// is then good for less.
std::vector<Scope> parse_scopes(std::string_view text);
std::string render_scopes(const std::vector<Scope>& scopes);

// What a request needs of a token; nothing is needed for GET /v2/ and for tokens themselves.
std::vector<Scope> scopes_needed(const Route& route, std::string_view method);
bool covers(const std::vector<Scope>& held, const std::vector<Scope>& needed);

}  // namespace sampan::ecr
