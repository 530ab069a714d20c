#include "elb/names.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "aws/arn.h"
#include "core/encoding.h"
#include "core/text.h"

namespace sampan::elb {

std::string name_fault(std::string_view name, std::string_view what) {
  const auto good = [](unsigned char c) { return std::isalnum(c) || c == '-'; };
  if (name.empty()) return fmt::format("{} name cannot be empty", what);
  if (name.size() > 32) return fmt::format("{} name '{}' cannot be longer than '32' characters", what, name);
  if (!std::all_of(name.begin(), name.end(), good)) {
    return fmt::format(
        "{} name '{}' can only contain characters that are alphanumeric characters and hyphens(-)", what,
        name);
  }
  if (name.front() == '-' || name.back() == '-') {
    return fmt::format("{} name '{}' cannot begin or end with a hyphen(-)", what, name);
  }
  if (what == "Load balancer" && name.starts_with("internal-")) {
    return fmt::format("{} name '{}' cannot begin with 'internal-'", what, name);
  }
  return "";
}

std::string balancer_path(std::string_view arn) {
  const auto parts = core::split(arn, '/');
  if (parts.size() < 4) return "";
  return parts[1] + '/' + parts[2] + '/' + parts[3];
}

std::string id_of(std::string_view arn) {
  return std::string(aws::last_segment(arn));
}

std::string balancer_of_listener(std::string_view listener_arn) {
  const auto arn = aws::Arn::parse(listener_arn);
  if (!arn) return "";
  return aws::make_arn(arn->service, arn->region, arn->account,
                       "loadbalancer/" + balancer_path(listener_arn));
}

std::string listener_of_rule(std::string_view rule_arn) {
  const auto arn = aws::Arn::parse(rule_arn);
  const auto parts = core::split(rule_arn, '/');
  if (!arn || parts.size() < 6) return "";
  return aws::make_arn(arn->service, arn->region, arn->account,
                       "listener/" + balancer_path(rule_arn) + '/' + parts[4]);
}

std::string backend_name(std::string_view group_arn) {
  return "tg_" + id_of(group_arn);
}

std::string server_name(std::string_view group_arn, std::string_view address, int port) {
  return 's' + core::sha256_hex(fmt::format("{} {} {}", group_arn, address, port)).substr(0, 14);
}

}  // namespace sampan::elb
