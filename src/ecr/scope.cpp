#include "ecr/scope.h"

#include <algorithm>

#include "core/text.h"

namespace sampan::ecr {
namespace {

constexpr std::string_view kCatalog = "registry:catalog:*";

bool is_read(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

bool is_upload(const Route& route) {
  return route.kind == Route::Kind::kUploads || route.kind == Route::Kind::kUpload;
}

}  // namespace

std::string Scope::str() const {
  if (repository.empty()) return std::string(kCatalog);
  std::string text = "repository:" + repository + ':';
  const auto add = [&text](bool has, std::string_view action) {
    if (!has) return;
    if (text.back() != ':') text += ',';
    text += action;
  };
  add(pull, "pull");
  add(push, "push");
  add(remove, "delete");
  return text;
}

std::vector<Scope> parse_scopes(std::string_view text) {
  constexpr std::string_view kKind = "repository:";
  std::vector<Scope> scopes;
  for (const auto& part : core::split(text, ' ')) {
    if (part == kCatalog && scopes.size() < kMostScopes) scopes.push_back({.pull = true});
    const auto colon = part.rfind(':');
    if (!part.starts_with(kKind) || colon < kKind.size() || scopes.size() == kMostScopes) continue;
    Scope scope{part.substr(kKind.size(), colon - kKind.size())};
    for (const auto& action : core::split(part.substr(colon + 1), ',')) {
      scope.pull = scope.pull || action == "pull" || action == "*";
      scope.push = scope.push || action == "push" || action == "*";
      scope.remove = scope.remove || action == "delete" || action == "*";
    }
    if (!scope.repository.empty() && (scope.pull || scope.push || scope.remove))
      scopes.push_back(std::move(scope));
  }
  return scopes;
}

std::string render_scopes(const std::vector<Scope>& scopes) {
  std::vector<std::string> texts;
  for (const auto& scope : scopes) texts.push_back(scope.str());
  return core::join(texts, " ");
}

std::vector<Scope> scopes_needed(const Route& route, std::string_view method) {
  if (route.kind == Route::Kind::kCatalog) return {{.pull = true}};
  if (route.repository.empty()) return {};
  Scope scope{route.repository};
  // An upload's own state is asked for by who pushes.
  if (is_read(method) && !is_upload(route)) {
    scope.pull = true;
  } else if (method == "DELETE" && !is_upload(route)) {
    scope.remove = true;
  } else {
    scope.pull = true;
    scope.push = true;
  }
  return {scope};
}

bool covers(const std::vector<Scope>& held, const std::vector<Scope>& needed) {
  return std::all_of(needed.begin(), needed.end(), [&](const Scope& need) {
    Scope all{need.repository};
    for (const auto& scope : held) {
      if (scope.repository != need.repository) continue;
      all.pull = all.pull || scope.pull;
      all.push = all.push || scope.push;
      all.remove = all.remove || scope.remove;
    }
    return (!need.pull || all.pull) && (!need.push || all.push) && (!need.remove || all.remove);
  });
}

}  // namespace sampan::ecr
