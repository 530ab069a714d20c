// Lists of task definitions and families.
#include <algorithm>
#include <set>

#include "ecs/paging.h"
#include "ecs/service_api.h"
#include "ecs/state.h"

namespace sampan::ecs {

EcsApi::Answer<api::ecs::ListTaskDefinitionsOutput> EcsApi::ListTaskDefinitions(
    const Call& call, api::ecs::ListTaskDefinitionsInput input) {
  auto prefix = scope_key(scope_of(call));
  // familyPrefix is the whole name of a family here, as AWS documents it.
  if (input.familyPrefix && !input.familyPrefix->empty()) prefix += *input.familyPrefix + "/";
  auto status = input.status.value_or("ACTIVE");
  std::vector<std::pair<std::string, std::string>> entries;
  State::each(state_->definitions, prefix, [&](const std::string& key, const DefinitionRow& row) {
    if (row.definition.status == status) entries.emplace_back(key, *row.definition.taskDefinitionArn);
  });
  bool descending = input.sort == "DESC";
  if (descending) std::reverse(entries.begin(), entries.end());
  auto page = page_of(std::move(entries), input.nextToken, input.maxResults, descending);
  co_return api::ecs::ListTaskDefinitionsOutput{.taskDefinitionArns = std::move(page.items),
                                                .nextToken = std::move(page.next_token)};
}

EcsApi::Answer<api::ecs::ListTaskDefinitionFamiliesOutput> EcsApi::ListTaskDefinitionFamilies(
    const Call& call, api::ecs::ListTaskDefinitionFamiliesInput input) {
  auto scope = scope_key(scope_of(call));
  auto status = input.status.value_or("ALL");
  std::vector<std::pair<std::string, std::string>> entries;
  State::each(state_->families, scope + input.familyPrefix.value_or(""),
              [&](const std::string& key, const FamilyRow&) {
                auto family = key.substr(scope.size());
                bool active = false, any = false;
                State::each(state_->definitions, key + "/",
                            [&](const std::string&, const DefinitionRow& row) {
                              any = true;
                              active = active || row.definition.status == "ACTIVE";
                            });
                bool wanted = status == "ALL" ? any : status == "ACTIVE" ? active : any && !active;
                if (wanted) entries.emplace_back(key, family);
              });
  auto page = page_of(std::move(entries), input.nextToken, input.maxResults);
  co_return api::ecs::ListTaskDefinitionFamiliesOutput{.families = std::move(page.items),
                                                       .nextToken = std::move(page.next_token)};
}

}  // namespace sampan::ecs
