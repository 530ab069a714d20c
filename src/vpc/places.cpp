#include "vpc/places.h"

#include "core/text.h"

namespace sampan::vpc {
namespace {

constexpr std::string_view kRegions[] = {
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1",   "eu-central-1",   "eu-north-1",     "eu-west-1",  "eu-west-2",      "eu-west-3",
    "sa-east-1",      "us-east-1",      "us-east-2",      "us-west-1",  "us-west-2"};

// AWS's short form of a direction: southeast -> se, west -> w.
std::string abbreviate(const std::string& direction) {
  std::string out;
  for (const std::string_view word : {"north", "south", "east", "west", "central"}) {
    if (direction.find(word) != std::string::npos) out += word[0];
  }
  return out.empty() ? direction : out;
}

}  // namespace

std::span<const std::string_view> known_regions() {
  return kRegions;
}

std::vector<std::string> zones_of(const std::string& region) {
  return {region + "a", region + "b", region + "c"};
}

std::string zone_id(const std::string& zone) {
  if (zone.size() < 2) return zone;
  const auto parts = core::split(std::string_view(zone).substr(0, zone.size() - 1), '-');
  if (parts.size() < 3) return zone;
  std::string id = parts.front();
  for (std::size_t i = 1; i + 1 < parts.size(); ++i)
    id += i + 2 == parts.size() ? abbreviate(parts[i]) : parts[i].substr(0, 1);
  return id + parts.back() + "-az" + std::to_string(zone.back() - 'a' + 1);
}

}  // namespace sampan::vpc
