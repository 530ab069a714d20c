#include "aws/arn.h"

#include <fmt/format.h>

namespace sampan::aws {

std::optional<Arn> Arn::parse(std::string_view text) {
  if (!text.starts_with("arn:")) return std::nullopt;
  text.remove_prefix(4);
  Arn arn;
  for (auto* part : {&arn.partition, &arn.service, &arn.region, &arn.account}) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    *part = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (arn.partition.empty() || arn.service.empty() || text.empty()) return std::nullopt;
  arn.resource = text;
  return arn;
}

std::string Arn::str() const {
  return fmt::format("arn:{}:{}:{}:{}:{}", partition, service, region, account, resource);
}

std::string_view Arn::resource_type() const {
  const auto end = resource.find_first_of("/:");
  return end == std::string::npos ? std::string_view() : std::string_view(resource).substr(0, end);
}

std::string_view Arn::resource_id() const {
  const auto end = resource.find_first_of("/:");
  return end == std::string::npos ? std::string_view(resource) : std::string_view(resource).substr(end + 1);
}

std::string make_arn(std::string_view service, std::string_view region, std::string_view account,
                     std::string_view resource) {
  return fmt::format("arn:aws:{}:{}:{}:{}", service, region, account, resource);
}

std::string_view last_segment(std::string_view text) {
  const auto slash = text.rfind('/');
  return slash == std::string_view::npos ? text : text.substr(slash + 1);
}

}  // namespace sampan::aws
