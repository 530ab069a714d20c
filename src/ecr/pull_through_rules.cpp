#include "ecr/pull_through_rules.h"

#include <fmt/core.h>

#include "aws/arn.h"
#include "ecr/template_rules.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

std::string registry_key(const std::string& account, const std::string& region) {
  return account + '/' + region + '/';
}

api::PullThroughCacheRuleNotFoundException not_found(const std::string& account, const std::string& prefix) {
  return api::PullThroughCacheRuleNotFoundException(fmt::format(
      "The pull through cache rule with repository prefix '{}' does not exist in the registry with id '{}'",
      prefix, account));
}

[[noreturn]] void throw_problem(const RuleProblem& problem) {
  if (problem.kind == RuleProblem::Kind::kUnsupportedUpstream) {
    throw api::UnsupportedUpstreamRegistryException(problem.message);
  }
  throw api::InvalidParameterException(problem.message);
}

std::size_t count(const store::Table<PullThroughRule>& rules, const std::string& registry) {
  std::size_t found = 0;
  for (auto row = rules.lower_bound(registry); row != rules.end() && row->first.starts_with(registry); ++row)
    ++found;
  return found;
}

}  // namespace

std::optional<image::RegistryLogin> parse_upstream_secret(std::string_view text) {
  boost::system::error_code bad;
  const auto value = boost::json::parse(boost::json::string_view(text.data(), text.size()), bad);
  if (bad || !value.is_object()) return std::nullopt;
  const auto word = [&value](const char* name) -> std::string {
    const auto* found = value.get_object().if_contains(name);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  image::RegistryLogin login{word("username"), word("accessToken")};
  if (login.password.empty()) login.password = word("password");
  if (login.user.empty() || login.password.empty()) return std::nullopt;
  return login;
}

PullThroughRules::PullThroughRules(store::Store& store, core::Clock& clock,
                                   std::function<bool(std::string_view)> plainly)
    : store_(store), clock_(clock), plainly_(std::move(plainly)), rules_(store, "/ecr/pull-through/") {
  count_ = rules_.size();
  rules_.on_change(
      [this](const std::string&, const PullThroughRule*, const PullThroughRule*) { count_ = rules_.size(); });
}

const PullThroughRule* PullThroughRules::find(const std::string& account, const std::string& region,
                                              const std::string& prefix) const {
  return rules_.find(registry_key(account, region) + normal_prefix(prefix));
}

const PullThroughRule* PullThroughRules::match(const RepositoryId& id) const {
  if (rules_.size() == 0) return nullptr;
  for (const auto& prefix : template_prefixes(id.name)) {
    if (const auto* found = find(id.account, id.region, prefix)) return found;
  }
  return nullptr;
}

std::optional<image::RegistryLogin> PullThroughRules::login_of(const std::string& account,
                                                               const std::string& region,
                                                               const PullThroughRule& rule) const {
  if (!rule.credentialArn) return std::nullopt;
  const auto& name = *rule.credentialArn;
  const auto arn = aws::Arn::parse(name);
  if (!arn || arn->account != account || arn->region != region) {
    throw api::UnableToAccessSecretException(fmt::format(
        "Unable to access the secret '{}': it must be in the registry's own account and region ({}, {})",
        name, account, region));
  }
  if (!secrets_) throw api::UnableToAccessSecretException("This Sampan keeps no secrets");
  const auto answer = secrets_(account, region, name);
  if (const auto* none = std::get_if<NoSecret>(&answer)) {
    if (none->why == NoSecret::Why::kNotFound) {
      throw api::SecretNotFoundException(
          fmt::format("The secret '{}' does not exist: {}", name, none->message));
    }
    if (none->why == NoSecret::Why::kUndecryptable)
      throw api::UnableToDecryptSecretValueException(none->message);
    throw api::UnableToAccessSecretException(none->message);
  }
  auto login = parse_upstream_secret(std::get<SecretText>(answer).text);
  if (login) return login;
  throw api::UnableToAccessSecretException(fmt::format(
      "The secret '{}' must hold JSON with \"username\" and \"accessToken\" for the upstream registry",
      name));
}

void PullThroughRules::check_secret(const std::string& account, const std::string& region,
                                    const PullThroughRule& rule) const {
  login_of(account, region, rule);  // throws
}

io::Awaitable<PullThroughRule> PullThroughRules::create(std::string account, std::string region,
                                                        PullThroughRule given) {
  const auto registry = registry_key(account, region);
  const auto key = registry + normal_prefix(*given.ecrRepositoryPrefix);
  if (const auto problem = complete_rule(given, plainly_)) throw_problem(*problem);
  check_secret(account, region, given);
  if (!given.upstreamRepositoryPrefix) given.upstreamRepositoryPrefix = kRootPrefix;
  given.registryId = account;
  given.createdAt = clock_.now();
  given.updatedAt = given.createdAt;
  co_await store::transact(store_, [&](store::Txn& tx) {
    if (tx.get(rules_, key)) {
      throw api::PullThroughCacheRuleAlreadyExistsException(
          fmt::format("The pull through cache rule with repository prefix '{}' already exists in the "
                      "registry with id '{}'",
                      *given.ecrRepositoryPrefix, account));
    }
    if (count(rules_, registry) >= kMostPullThroughRules) {
      throw api::LimitExceededException(fmt::format(
          "The registry with id '{}' already has the maximum limit of '{}' pull through cache rules", account,
          kMostPullThroughRules));
    }
    tx.put(rules_, key, given);
  });
  co_return given;
}

io::Awaitable<PullThroughRule> PullThroughRules::update(std::string account, std::string region,
                                                        api::UpdatePullThroughCacheRuleRequest change) {
  const auto key = registry_key(account, region) + normal_prefix(change.ecrRepositoryPrefix);
  const auto now = clock_.now();
  const auto* had = rules_.find(key);
  if (!had) throw not_found(account, change.ecrRepositoryPrefix);
  if (!change.credentialArn && !change.customRoleArn) {
    throw api::InvalidParameterException(
        "Invalid parameter at 'credentialArn' failed to satisfy constraint: 'credentialArn or customRoleArn "
        "must be "
        "given'");
  }
  auto wish = *had;
  if (change.credentialArn) wish.credentialArn = change.credentialArn;
  check_secret(account, region, wish);
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    auto row = tx.get(rules_, key);
    if (!row) throw not_found(account, change.ecrRepositoryPrefix);
    if (change.credentialArn) row->credentialArn = change.credentialArn;
    if (change.customRoleArn) row->customRoleArn = change.customRoleArn;
    row->updatedAt = now;
    tx.put(rules_, key, *row);
    return *row;
  });
}

io::Awaitable<PullThroughRule> PullThroughRules::remove(std::string account, std::string region,
                                                        std::string prefix) {
  const auto key = registry_key(account, region) + normal_prefix(prefix);
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    const auto row = tx.get(rules_, key);
    if (!row) throw not_found(account, prefix);
    tx.erase(rules_, key);
    return *row;
  });
}

}  // namespace sampan::ecr
