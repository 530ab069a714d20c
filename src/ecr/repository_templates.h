// Repository creation templates: the settings of repositories that nobody made by CreateRepository, because a
// push, a replication or a pull through the cache needed them. A template is for what is made afterwards; it
// never changes a repository that is there.
//
//   /ecr/templates/<account>/<region>/<prefix>     the template as the API has it; prefix "ROOT" for all
//   names
//
// On the control strand.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "aws/row_codec.h"
#include "core/clock.h"
#include "ecr/repositories.h"
#include "ecr/template_rules.h"
#include "store/table.h"

namespace sampan::ecr {

class RepositoryTemplates {
 public:
  RepositoryTemplates(store::Store& store, Repositories& repositories, core::Clock& clock);

  // The template for a repository of this name made for that cause: of the templates for the cause the one
  // with the longest prefix, "ROOT" last.
  std::optional<Template> match(const RepositoryId& id, Cause cause) const;
  // Makes the repository as the template says, with ECR's defaults when there is none. It may be there
  // already, or come meanwhile. Durable when it returns.
  io::Awaitable<void> make(RepositoryId id, std::optional<Template> by);
  io::Awaitable<void> make_for(RepositoryId id, Cause cause) { return make(id, match(id, cause)); }
  // For a push: the repository as it is, or one made by a template for CREATE_ON_PUSH. Throws Refusal
  // (kNoRepository) when there is neither.
  io::Awaitable<void> require_for_push(RepositoryId id);

  // The owner of a policy that a template carries: says what is wrong with a text, and writes it in the
  // transaction that makes the repository. Before the first request; a text without an owner is only kept.
  struct PolicyOwner {
    std::function<std::optional<std::string>(const std::string& text)> check;
    std::function<void(store::Txn&, const RepositoryId&, const std::string& text)> put;
  };
  void own_lifecycle_policies(PolicyOwner owner) { lifecycle_ = std::move(owner); }
  void own_repository_policies(PolicyOwner owner) { policy_ = std::move(owner); }

  // The operations. Each is durable when it returns, and throws the API's exceptions.
  io::Awaitable<Template> create(std::string account, std::string region, Template given);
  io::Awaitable<Template> update(std::string account, std::string region,
                                 api::ecr::UpdateRepositoryCreationTemplateRequest change);
  io::Awaitable<Template> remove(std::string account, std::string region, std::string prefix);
  const Template* find(const std::string& account, const std::string& region,
                       const std::string& prefix) const;
  const store::Table<Template>& templates() const { return templates_; }

 private:
  void check(const Template& given, const std::string& account) const;
  std::size_t count(const std::string& registry) const;

  store::Store& store_;
  Repositories& repositories_;
  core::Clock& clock_;
  store::Table<Template> templates_;
  PolicyOwner lifecycle_;
  PolicyOwner policy_;
};

}  // namespace sampan::ecr
