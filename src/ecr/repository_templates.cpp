#include "ecr/repository_templates.h"

#include <fmt/core.h>

#include "aws/tags.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

std::string registry_key(const std::string& account, const std::string& region) {
  return account + '/' + region + '/';
}

api::TemplateNotFoundException not_found(const std::string& account, const std::string& prefix) {
  return api::TemplateNotFoundException(fmt::format(
      "The repository creation template with prefix '{}' does not exist in the registry with id '{}'", prefix,
      account));
}

void check_tags(const Template& given) {
  if (!given.resourceTags) return;
  const auto finding = aws::check_tags(aws::tag_pairs(*given.resourceTags));
  if (finding) throw api::InvalidParameterException(finding->message);
}

}  // namespace

RepositoryTemplates::RepositoryTemplates(store::Store& store, Repositories& repositories, core::Clock& clock)
    : store_(store), repositories_(repositories), clock_(clock), templates_(store, "/ecr/templates/") {}

const Template* RepositoryTemplates::find(const std::string& account, const std::string& region,
                                          const std::string& prefix) const {
  return templates_.find(registry_key(account, region) + normal_prefix(prefix));
}

std::optional<Template> RepositoryTemplates::match(const RepositoryId& id, Cause cause) const {
  for (const auto& prefix : template_prefixes(id.name)) {
    const auto* found = find(id.account, id.region, prefix);
    if (found && applies(*found, cause)) return *found;
  }
  return std::nullopt;
}

io::Awaitable<void> RepositoryTemplates::make(RepositoryId id, std::optional<Template> by) {
  if (repositories_.find(id)) co_return;
  const auto put_policies = [this, &id, &by](store::Txn& tx) {
    if (!by) return;
    if (by->lifecyclePolicy && lifecycle_.put) lifecycle_.put(tx, id, *by->lifecyclePolicy);
    if (by->repositoryPolicy && policy_.put) policy_.put(tx, id, *by->repositoryPolicy);
  };
  try {
    co_await repositories_.create(id, by ? settings_of(*by) : RepositoryRow(), put_policies);
  } catch (const Refusal& refusal) {
    if (refusal.why() != Refusal::Why::kRepositoryExists) throw;  // somebody else was quicker
  }
}

io::Awaitable<void> RepositoryTemplates::require_for_push(RepositoryId id) {
  if (repositories_.find(id)) co_return;
  auto by = match(id, Cause::kCreateOnPush);
  if (!by) repositories_.get(id);  // throws
  co_await make(std::move(id), std::move(by));
}

void RepositoryTemplates::check(const Template& given, const std::string& account) const {
  if (const auto problem = check_template(given, account)) throw api::InvalidParameterException(*problem);
  check_tags(given);
  const auto refuse = [](const PolicyOwner& owner, const std::optional<std::string>& text) {
    const auto problem = text && owner.check ? owner.check(*text) : std::nullopt;
    if (problem) throw api::InvalidParameterException(*problem);
  };
  refuse(lifecycle_, given.lifecyclePolicy);
  refuse(policy_, given.repositoryPolicy);
}

std::size_t RepositoryTemplates::count(const std::string& registry) const {
  std::size_t found = 0;
  for (auto row = templates_.lower_bound(registry);
       row != templates_.end() && row->first.starts_with(registry); ++row) {
    ++found;
  }
  return found;
}

io::Awaitable<Template> RepositoryTemplates::create(std::string account, std::string region, Template given) {
  const auto registry = registry_key(account, region);
  const auto key = registry + normal_prefix(*given.prefix);
  check(given, account);
  given.createdAt = clock_.now();
  given.updatedAt = given.createdAt;
  co_await store::transact(store_, [&](store::Txn& tx) {
    if (tx.get(templates_, key)) {
      throw api::TemplateAlreadyExistsException(fmt::format(
          "The repository creation template with prefix '{}' already exists in the registry with id '{}'",
          *given.prefix, account));
    }
    if (count(registry) >= kMostTemplates) {
      throw api::LimitExceededException(
          fmt::format("The registry with id '{}' already has the maximum limit of '{}' repository creation "
                      "templates",
                      account, kMostTemplates));
    }
    tx.put(templates_, key, given);
  });
  co_return given;
}

io::Awaitable<Template> RepositoryTemplates::update(std::string account, std::string region,
                                                    api::UpdateRepositoryCreationTemplateRequest change) {
  const auto key = registry_key(account, region) + normal_prefix(change.prefix);
  const auto now = clock_.now();
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    const auto had = tx.get(templates_, key);
    if (!had) throw not_found(account, change.prefix);
    auto changed = update_template(*had, change);
    check(changed, account);
    changed.updatedAt = now;
    tx.put(templates_, key, changed);
    return changed;
  });
}

io::Awaitable<Template> RepositoryTemplates::remove(std::string account, std::string region,
                                                    std::string prefix) {
  const auto key = registry_key(account, region) + normal_prefix(prefix);
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    const auto had = tx.get(templates_, key);
    if (!had) throw not_found(account, prefix);
    tx.erase(templates_, key);
    return *had;
  });
}

}  // namespace sampan::ecr
