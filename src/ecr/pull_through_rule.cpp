#include "ecr/pull_through_rule.h"

#include <fmt/core.h>

#include <array>

#include "aws/arn.h"
#include "ecr/template_rules.h"

namespace sampan::ecr {
namespace {

struct KnownUpstream {
  std::string_view kind;
  std::string_view host;  // "*.azurecr.io": any name below
};

// Where each kind of upstream is. "ecr" and "" may be anywhere.
constexpr std::array<KnownUpstream, 8> kKnown = {{
    {"ecr-public", "public.ecr.aws"},
    {"quay", "quay.io"},
    {"k8s", "registry.k8s.io"},
    {"docker-hub", "registry-1.docker.io"},
    {"github-container-registry", "ghcr.io"},
    {"azure-container-registry", "*.azurecr.io"},
    {"gitlab-container-registry", "registry.gitlab.com"},
    {"chainguard", "cgr.dev"},
}};

bool is_at(std::string_view host, std::string_view pattern) {
  if (!pattern.starts_with("*.")) return host == pattern;
  return host.ends_with(pattern.substr(1)) && host.size() > pattern.size() - 1;
}

std::optional<std::string> kind_of(const std::string& host) {
  for (const auto& known : kKnown) {
    if (is_at(host, known.host)) return std::string(known.kind);
  }
  if (parse_ecr_host(host)) return "ecr";
  return std::nullopt;
}

RuleProblem invalid(std::string_view member, std::string_view why) {
  return {RuleProblem::Kind::kInvalidParameter,
          fmt::format("Invalid parameter at '{}' failed to satisfy constraint: '{}'", member, why)};
}

RuleProblem unsupported(std::string_view url, std::string_view why) {
  return {RuleProblem::Kind::kUnsupportedUpstream,
          fmt::format("The upstream registry '{}' isn't supported: {}", url.substr(0, 200), why)};
}

std::string without_slash(const std::string& prefix) {
  return normal_prefix(prefix);
}

}  // namespace

std::optional<RuleProblem> complete_rule(PullThroughRule& rule,
                                         const std::function<bool(std::string_view)>& plainly) {
  const auto address = image::RegistryAddress::parse(*rule.upstreamRegistryUrl);
  if (!address) {
    return unsupported(*rule.upstreamRegistryUrl,
                       "it is no registry's host name (HOST or https://HOST[:PORT])");
  }
  if (!address->tls && !plainly(address->host)) {
    return unsupported(*rule.upstreamRegistryUrl,
                       "it is not HTTPS, and this Sampan's operator has not named it as "
                       "one to be spoken to in the clear (--insecure-upstream)");
  }
  const auto kind = kind_of(address->host);
  if (!rule.upstreamRegistry) rule.upstreamRegistry = kind;
  // "ecr" may be another Sampan, wherever that is.
  if (rule.upstreamRegistry && *rule.upstreamRegistry != "ecr" && rule.upstreamRegistry != kind) {
    return unsupported(*rule.upstreamRegistryUrl,
                       fmt::format("it is not where {} is", *rule.upstreamRegistry));
  }
  const auto prefix = without_slash(*rule.ecrRepositoryPrefix);
  const auto upstream = rule.upstreamRepositoryPrefix.value_or(kRootPrefix);
  if (prefix == kRootPrefix && upstream != kRootPrefix) {
    return invalid("upstreamRepositoryPrefix", "must be ROOT where ecrRepositoryPrefix is ROOT");
  }
  return std::nullopt;
}

image::RegistryAddress upstream_of(const PullThroughRule& rule) {
  return image::RegistryAddress::parse(*rule.upstreamRegistryUrl).value_or(image::RegistryAddress());
}

std::string upstream_name(const PullThroughRule& rule, std::string_view repository) {
  const auto prefix = without_slash(*rule.ecrRepositoryPrefix);
  const auto upstream = without_slash(rule.upstreamRepositoryPrefix.value_or(kRootPrefix));
  std::string name(prefix == kRootPrefix ? repository : repository.substr(prefix.size() + 1));
  if (upstream != kRootPrefix) name = upstream + '/' + name;
  const bool official =
      name.find('/') == std::string::npos && upstream_of(rule).host == "registry-1.docker.io";
  return official ? "library/" + name : name;
}

}  // namespace sampan::ecr
