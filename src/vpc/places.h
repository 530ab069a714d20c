// Regions and availability zones by name. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::vpc {

// The regions that an AWS account has without opting in.
std::span<const std::string_view> known_regions();
// "us-east-1a" … c: the zones that Sampan has in every region.
std::vector<std::string> zones_of(const std::string& region);
// "use1-az1" of "us-east-1a".
std::string zone_id(const std::string& zone);

}  // namespace sampan::vpc
