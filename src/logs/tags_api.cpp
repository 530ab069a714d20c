#include "logs/logs_api.h"
#include "logs/names.h"

namespace sampan::logs {

namespace model = api::logs;

namespace {

constexpr std::size_t kTagLimit = 50;

std::string tagged_group(const Scope& scope, const std::string& arn) {
  auto name = parse_group_arn(scope, arn);
  if (!name) throw model::ResourceNotFoundException("The specified resource does not exist.");
  return *name;
}

io::Awaitable<void> add_tags(Catalog& catalog, Scope scope, std::string group,
                             std::map<std::string, std::string> tags) {
  co_await catalog.update_group(std::move(scope), std::move(group), [&tags](GroupRow& row) {
    for (const auto& [name, value] : tags) row.tags[name] = value;
    if (row.tags.size() > kTagLimit) {
      throw model::TooManyTagsException("A resource can have no more than 50 tags.");
    }
  });
}

io::Awaitable<void> remove_tags(Catalog& catalog, Scope scope, std::string group,
                                std::vector<std::string> names) {
  co_await catalog.update_group(std::move(scope), std::move(group), [&names](GroupRow& row) {
    for (const auto& name : names) row.tags.erase(name);
  });
}

}  // namespace

io::Awaitable<model::TagResourceOutput> LogsApi::TagResource(const aws::Call& call,
                                                             model::TagResourceInput input) {
  const auto scope = scope_of(call);
  co_await add_tags(catalog_, scope, tagged_group(scope, input.resourceArn), std::move(input.tags));
  co_return model::TagResourceOutput{};
}

io::Awaitable<model::UntagResourceOutput> LogsApi::UntagResource(const aws::Call& call,
                                                                 model::UntagResourceInput input) {
  const auto scope = scope_of(call);
  co_await remove_tags(catalog_, scope, tagged_group(scope, input.resourceArn), std::move(input.tagKeys));
  co_return model::UntagResourceOutput{};
}

io::Awaitable<model::ListTagsForResourceOutput> LogsApi::ListTagsForResource(
    const aws::Call& call, model::ListTagsForResourceInput input) {
  const auto scope = scope_of(call);
  model::ListTagsForResourceOutput out;
  out.tags = catalog_.group(scope, tagged_group(scope, input.resourceArn)).tags;
  co_return out;
}

io::Awaitable<model::TagLogGroupOutput> LogsApi::TagLogGroup(const aws::Call& call,
                                                             model::TagLogGroupInput input) {
  co_await add_tags(catalog_, scope_of(call), std::move(input.logGroupName), std::move(input.tags));
  co_return model::TagLogGroupOutput{};
}

io::Awaitable<model::UntagLogGroupOutput> LogsApi::UntagLogGroup(const aws::Call& call,
                                                                 model::UntagLogGroupInput input) {
  co_await remove_tags(catalog_, scope_of(call), std::move(input.logGroupName), std::move(input.tags));
  co_return model::UntagLogGroupOutput{};
}

io::Awaitable<model::ListTagsLogGroupOutput> LogsApi::ListTagsLogGroup(const aws::Call& call,
                                                                       model::ListTagsLogGroupInput input) {
  model::ListTagsLogGroupOutput out;
  out.tags = catalog_.group(scope_of(call), input.logGroupName).tags;
  co_return out;
}

}  // namespace sampan::logs
