// Tags of everything in a VPC: one row a resource.
#include <fmt/core.h>

#include <algorithm>

#include "vpc/ec2_api.h"

namespace sampan::vpc {
namespace {

constexpr std::size_t kMostTags = 50;
constexpr std::size_t kLongestKey = 128;
constexpr std::size_t kLongestValue = 256;

struct Kind {
  std::string_view prefix;
  std::string_view type;
};
constexpr Kind kKinds[] = {{"vpc-", "vpc"},
                           {"subnet-", "subnet"},
                           {"sg-", "security-group"},
                           {"sgr-", "security-group-rule"},
                           {"eni-", "network-interface"},
                           {"rtb-", "route-table"},
                           {"igw-", "internet-gateway"}};

std::string type_of(const std::string& id) {
  for (const auto& kind : kKinds) {
    if (id.starts_with(kind.prefix)) return std::string(kind.type);
  }
  throw aws::Fault("InvalidID", 400, fmt::format("The ID '{}' is not valid", id));
}

void add_tags(Tags& tags, const std::vector<ec2::Tag>& added) {
  for (const auto& tag : added) {
    const auto key = tag.Key.value_or("");
    const auto value = tag.Value.value_or("");
    if (key.empty() || key.size() > kLongestKey) {
      throw aws::Fault("InvalidParameterValue", 400,
                       fmt::format("Tag keys have 1 to {} characters: '{}'", kLongestKey, key));
    }
    if (value.size() > kLongestValue) {
      throw aws::Fault("InvalidParameterValue", 400,
                       fmt::format("The value of tag '{}' is longer than {} characters", key, kLongestValue));
    }
    if (key.starts_with("aws:")) {
      throw aws::Fault("InvalidParameterValue", 400,
                       "Tag keys starting with 'aws:' are reserved for internal use");
    }
    tags[key] = value;
  }
  if (tags.size() > kMostTags) {
    throw aws::Fault("TagLimitExceeded", 400,
                     fmt::format("The maximum number of tags for a resource is {}", kMostTags));
  }
}

std::vector<ec2::Tag> show_tags(const Tags& tags) {
  std::vector<ec2::Tag> shown;
  for (const auto& [key, value] : tags) {
    auto& tag = shown.emplace_back();
    tag.Key = key;
    tag.Value = value;
  }
  return shown;
}

}  // namespace

Tags Ec2Api::tags_of(const aws::Call& call, const std::string& id) const {
  const auto* row = topology_.tags.find(Topology::key(call.account, call.region, id));
  return row ? row->tags : Tags{};
}

std::optional<std::vector<ec2::Tag>> Ec2Api::shown_tags(const aws::Call& call, const std::string& id) const {
  auto shown = show_tags(tags_of(call, id));
  if (shown.empty()) return std::nullopt;
  return shown;
}

std::optional<std::vector<ec2::Tag>> Ec2Api::put_tags(
    store::Txn& tx, const aws::Call& call, const std::string& id, std::string_view resource_type,
    const std::optional<std::vector<ec2::TagSpecification>>& specs) {
  if (!specs) return std::nullopt;
  TagsRow row{std::string(resource_type), {}};
  for (const auto& spec : *specs) {
    if (spec.ResourceType.value_or("") != resource_type) {
      throw aws::Fault("InvalidParameterValue", 400,
                       fmt::format("'{}' is not a valid taggable resource type for this operation.",
                                   spec.ResourceType.value_or("")));
    }
    if (spec.Tags) add_tags(row.tags, *spec.Tags);
  }
  if (row.tags.empty()) return std::nullopt;
  tx.put(topology_.tags, Topology::key(call.account, call.region, id), row);
  return show_tags(row.tags);
}

void Ec2Api::erase_tags(store::Txn& tx, const aws::Call& call, const std::string& id) {
  const auto key = Topology::key(call.account, call.region, id);
  if (tx.get(topology_.tags, key)) tx.erase(topology_.tags, key);
}

bool Ec2Api::exists(const aws::Call& call, const std::string& id) const {
  const auto key = Topology::key(call.account, call.region, id);
  if (id.starts_with("vpc-")) return topology_.vpcs.find(key) != nullptr;
  if (id.starts_with("subnet-")) return topology_.subnets.find(key) != nullptr;
  if (id.starts_with("sg-")) return topology_.groups.find(key) != nullptr;
  if (id.starts_with("eni-")) {
    const auto* row = topology_.interfaces.find(id);
    return row && row->account == call.account && row->region == call.region;
  }
  if (id.starts_with("sgr-")) {
    for (const auto& group : rows_of(topology_.groups, call)) {
      const auto same = [&](const GroupRule& rule) { return rule.id == id; };
      if (std::any_of(group.rules.begin(), group.rules.end(), same)) return true;
    }
    return false;
  }
  for (const auto& row : rows_of(topology_.vpcs, call)) {
    if (row.route_table_id == id || row.internet_gateway_id == id) return true;
  }
  return false;
}

boost::asio::awaitable<ec2::CreateTagsOutput> Ec2Api::CreateTags(const aws::Call& call,
                                                                 ec2::CreateTagsInput input) {
  auto body = [&](store::Txn& tx) {
    topology_.ensure_default(tx, call.account, call.region);
    for (const auto& id : input.Resources) {
      TagsRow row{type_of(id), {}};
      // What a default VPC consists of exists from the first look on, so it may be in this transaction only.
      if (!exists(call, id) && !topology_.subnet(call.account, call.region, id) &&
          !topology_.vpc(call.account, call.region, id) && !topology_.group(call.account, call.region, id)) {
        throw aws::Fault("InvalidID", 400, fmt::format("The ID '{}' does not exist", id));
      }
      const auto key = Topology::key(call.account, call.region, id);
      if (auto stored = tx.get(topology_.tags, key)) row.tags = std::move(stored->tags);
      add_tags(row.tags, input.Tags);
      tx.put(topology_.tags, key, row);
    }
    check_dry_run(input.DryRun);
  };
  co_await store::transact(topology_.store(), body);
  co_return ec2::CreateTagsOutput{};
}

boost::asio::awaitable<ec2::DeleteTagsOutput> Ec2Api::DeleteTags(const aws::Call& call,
                                                                 ec2::DeleteTagsInput input) {
  auto body = [&](store::Txn& tx) {
    for (const auto& id : input.Resources) {
      const auto key = Topology::key(call.account, call.region, id);
      auto row = tx.get(topology_.tags, key);
      if (!row) continue;
      if (!input.Tags || input.Tags->empty()) row->tags.clear();
      for (const auto& tag : input.Tags.value_or(std::vector<ec2::Tag>{})) {
        const auto found = row->tags.find(tag.Key.value_or(""));
        // A tag given with a value is removed only if it has that value.
        if (found != row->tags.end() && (!tag.Value || *tag.Value == found->second)) row->tags.erase(found);
      }
      if (row->tags.empty()) {
        tx.erase(topology_.tags, key);
      } else {
        tx.put(topology_.tags, key, *row);
      }
    }
    check_dry_run(input.DryRun);
  };
  co_await store::transact(topology_.store(), body);
  co_return ec2::DeleteTagsOutput{};
}

boost::asio::awaitable<ec2::DescribeTagsOutput> Ec2Api::DescribeTags(const aws::Call& call,
                                                                     ec2::DescribeTagsInput input) {
  check_dry_run(input.DryRun);
  using Values = std::vector<std::string>;
  std::vector<ec2::TagDescription> shown;
  const auto prefix = Topology::key(call.account, call.region, "");
  for (auto it = topology_.tags.lower_bound(prefix);
       it != topology_.tags.end() && it->first.starts_with(prefix); ++it) {
    const auto id = it->first.substr(prefix.size());
    const auto& row = it->second.value;
    for (const auto& [key, value] : row.tags) {
      const auto values = [&, &key = key, &value = value](std::string_view name) -> std::optional<Values> {
        if (name == "resource-id") return Values{id};
        if (name == "resource-type") return Values{row.resource_type};
        if (name == "key") return Values{key};
        if (name == "value") return Values{value};
        return std::nullopt;
      };
      if (!matches(input.Filters, row.tags, values)) continue;
      auto& tag = shown.emplace_back();
      tag.ResourceId = id;
      tag.ResourceType = row.resource_type;
      tag.Key = key;
      tag.Value = value;
    }
  }
  ec2::DescribeTagsOutput output;
  output.NextToken = cut_page(shown, input.MaxResults, input.NextToken);
  output.Tags = std::move(shown);
  co_return output;
}

}  // namespace sampan::vpc
