// Repository policies and registry policies: the rows, and what any thread may ask of them.
//
//   /ecr/repository-policies/<account>/<region>/<name>   PolicyRow: goes with its repository
//   /ecr/registry-policies/<account>/<region>            PolicyRow
//
// Changes are on the control strand; policies_of() and tags_of() are thread-safe, from a copy that follows
// the rows.
#pragma once

#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "aws/tags.h"
#include "ecr/repositories.h"
#include "iam/policy_decision.h"

namespace sampan::ecr {

struct PolicyRow {
  std::string text;  // as it was given
};

// The text read. Throws iam::MalformedPolicy: also for actions that are not ECR's, which would do nothing.
iam::Policy read_repository_policy(std::string_view text);
iam::Policy read_registry_policy(std::string_view text);
// What is wrong with a repository's policy, or nothing.
std::optional<std::string> repository_policy_problem(const std::string& text);

class AccessPolicies {
 public:
  // Before the first request; both outlive it.
  AccessPolicies(store::Store& store, Repositories& repositories);

  const std::string* of_repository(const RepositoryId& id) const;
  const std::string* of_registry(const std::string& account, const std::string& region) const;
  // Durable when they return. The text is good: see iam::parse_policy. Throw Refusal without the repository.
  io::Awaitable<void> set_repository(RepositoryId id, std::string text);
  // Inside somebody else's transaction: one that makes the repository.
  void put_repository(store::Txn& tx, const RepositoryId& id, const std::string& text) const;
  io::Awaitable<void> remove_repository(RepositoryId id);
  io::Awaitable<void> set_registry(std::string account, std::string region, std::string text);
  io::Awaitable<void> remove_registry(std::string account, std::string region);

  // The repository's and its registry's. Thread-safe.
  std::vector<iam::PolicyRef> policies_of(const RepositoryId& id) const;
  // The repository's tags, for conditions. Thread-safe.
  aws::Tags tags_of(const RepositoryId& id) const;

 private:
  using Book = std::unordered_map<std::string, iam::PolicyRef>;
  void follow(store::Table<PolicyRow>& table, Book& book, iam::PolicyKind kind);
  void note_tags(const std::string& key, const RepositoryRow* row);

  store::Store& store_;
  Repositories& repositories_;
  store::Table<PolicyRow> repository_rows_;
  store::Table<PolicyRow> registry_rows_;
  mutable std::shared_mutex mutex_;  // guards what follows
  Book of_repositories_;
  Book of_registries_;
  std::unordered_map<std::string, aws::Tags> tags_;  // of those that have any
};

}  // namespace sampan::ecr

template <>
struct sampan::store::RowCodec<sampan::ecr::PolicyRow> {
  static std::string encode(const ecr::PolicyRow& row) { return row.text; }
  static ecr::PolicyRow decode(std::string_view text) { return {std::string(text)}; }
};
