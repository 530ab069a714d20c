// Where one is: regions, zones, the account.
#include <algorithm>

#include "vpc/ec2_api.h"
#include "vpc/places.h"

namespace sampan::vpc {

using Values = std::vector<std::string>;

boost::asio::awaitable<ec2::DescribeAvailabilityZonesOutput> Ec2Api::DescribeAvailabilityZones(
    const aws::Call& call, ec2::DescribeAvailabilityZonesInput input) {
  check_dry_run(input.DryRun);
  ec2::DescribeAvailabilityZonesOutput output;
  output.AvailabilityZones.emplace();
  Values names;
  for (const auto& name : zones_of(call.region)) {
    const auto id = zone_id(name);
    if (!wanted(input.ZoneNames, name) || !wanted(input.ZoneIds, id)) continue;
    names.push_back(name);
    const auto values = [&](std::string_view filter) -> std::optional<Values> {
      if (filter == "zone-name") return Values{name};
      if (filter == "zone-id") return Values{id};
      if (filter == "region-name") return Values{call.region};
      if (filter == "group-name") return Values{call.region + "-zg-1"};
      if (filter == "state") return Values{"available"};
      if (filter == "zone-type") return Values{"availability-zone"};
      if (filter == "opt-in-status") return Values{"opt-in-not-required"};
      return std::nullopt;
    };
    if (!matches(input.Filters, {}, values)) continue;
    ec2::AvailabilityZone zone;
    zone.ZoneName = name;
    zone.ZoneId = id;
    zone.RegionName = call.region;
    zone.GroupName = call.region + "-zg-1";
    zone.NetworkBorderGroup = call.region;
    zone.ZoneType = "availability-zone";
    zone.State = "available";
    zone.OptInStatus = "opt-in-not-required";
    zone.Messages.emplace();
    output.AvailabilityZones->push_back(std::move(zone));
  }
  if (input.ZoneNames) {
    for (const auto& name : *input.ZoneNames) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      throw aws::Fault("InvalidParameterValue", 400, "Invalid availability zone: [" + name + "]");
    }
  }
  co_return output;
}

boost::asio::awaitable<ec2::DescribeRegionsOutput> Ec2Api::DescribeRegions(const aws::Call& call,
                                                                           ec2::DescribeRegionsInput input) {
  check_dry_run(input.DryRun);
  Values names;
  for (const auto region : known_regions()) names.emplace_back(region);
  if (std::find(names.begin(), names.end(), call.region) == names.end()) names.push_back(call.region);
  ec2::DescribeRegionsOutput output;
  output.Regions.emplace();
  for (const auto& name : names) {
    if (!wanted(input.RegionNames, name)) continue;
    const auto values = [&](std::string_view filter) -> std::optional<Values> {
      if (filter == "region-name") return Values{name};
      if (filter == "endpoint") return Values{call.host};
      if (filter == "opt-in-status") return Values{"opt-in-not-required"};
      return std::nullopt;
    };
    if (!matches(input.Filters, {}, values)) continue;
    ec2::Region region;
    region.RegionName = name;
    region.Endpoint = call.host;  // one Sampan answers for every region
    region.OptInStatus = "opt-in-not-required";
    output.Regions->push_back(std::move(region));
  }
  if (input.RegionNames) {
    for (const auto& name : *input.RegionNames) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        throw aws::Fault("InvalidParameterValue", 400, "Invalid region: [" + name + "]");
      }
    }
  }
  co_return output;
}

boost::asio::awaitable<ec2::DescribeAccountAttributesOutput> Ec2Api::DescribeAccountAttributes(
    const aws::Call& call, ec2::DescribeAccountAttributesInput input) {
  check_dry_run(input.DryRun);
  co_await topology_.ensure_default(call.account, call.region);
  std::string default_vpc = "none";
  for (const auto& row : rows_of(topology_.vpcs, call)) {
    if (row.is_default) default_vpc = row.id;
  }
  ec2::DescribeAccountAttributesOutput output;
  output.AccountAttributes.emplace();
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!wanted(input.AttributeNames, name)) return;
    ec2::AccountAttribute attribute;
    attribute.AttributeName = name;
    attribute.AttributeValues.emplace().emplace_back().AttributeValue = value;
    output.AccountAttributes->push_back(std::move(attribute));
  };
  add("supported-platforms", "VPC");
  add("default-vpc", default_vpc);
  co_return output;
}

}  // namespace sampan::vpc
