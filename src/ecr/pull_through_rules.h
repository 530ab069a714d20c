// The pull-through cache rules of all registries, and the secrets they name.
//   /ecr/pull-through/<account>/<region>/<prefix>     the rule as the API has it; prefix "ROOT" for all names
// On the control strand.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "aws/row_codec.h"
#include "core/clock.h"
#include "ecr/pull_through_rule.h"
#include "image/registry_session.h"
#include "store/table.h"

namespace sampan::ecr {

// A secret's text, or why there is none. Whoever keeps secrets answers; ecr/ only knows the question.
struct SecretText {
  std::string text;
};
struct NoSecret {
  enum class Why { kNotFound, kUndecryptable, kDenied };
  Why why;
  std::string message;
};
using SecretAnswer = std::variant<SecretText, NoSecret>;
using SecretLookup = std::function<SecretAnswer(const std::string& account, const std::string& region,
                                                const std::string& arn)>;

// {"username": …, "accessToken": …}, as AWS asks of these secrets; "password" is taken as well. Nothing when
// it is something else. Pure.
std::optional<image::RegistryLogin> parse_upstream_secret(std::string_view text);

class PullThroughRules {
 public:
  // `plainly`: which hosts may be spoken to over HTTP.
  PullThroughRules(store::Store& store, core::Clock& clock, std::function<bool(std::string_view)> plainly);
  void look_up_secrets(SecretLookup lookup) { secrets_ = std::move(lookup); }

  // There is a rule at all. From any thread: most registries have none, and their pulls need not ask.
  bool any() const { return count_.load(std::memory_order_relaxed) > 0; }
  // The rule for a repository: that with the longest prefix, "ROOT" last. Nothing when there is none.
  const PullThroughRule* match(const RepositoryId& id) const;
  const PullThroughRule* find(const std::string& account, const std::string& region,
                              const std::string& prefix) const;
  const store::Table<PullThroughRule>& rules() const { return rules_; }

  // The login that the rule's secret holds; nothing for a rule without one. Throws the API's exceptions.
  std::optional<image::RegistryLogin> login_of(const std::string& account, const std::string& region,
                                               const PullThroughRule& rule) const;

  // The operations; durable when they return; throw the API's exceptions.
  io::Awaitable<PullThroughRule> create(std::string account, std::string region, PullThroughRule given);
  io::Awaitable<PullThroughRule> update(std::string account, std::string region,
                                        api::ecr::UpdatePullThroughCacheRuleRequest change);
  io::Awaitable<PullThroughRule> remove(std::string account, std::string region, std::string prefix);

 private:
  void check_secret(const std::string& account, const std::string& region, const PullThroughRule& rule) const;

  store::Store& store_;
  core::Clock& clock_;
  std::function<bool(std::string_view)> plainly_;
  SecretLookup secrets_;
  store::Table<PullThroughRule> rules_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace sampan::ecr
