// Names, ids and ARNs of load balancing. Pure.
#pragma once

#include <string>
#include <string_view>

namespace sampan::elb {

// What is wrong with a load balancer's or target group's name, or nothing: 1 to 32 letters, digits and
// hyphens, no hyphen at its ends; a load balancer's does not begin with "internal-".
std::string name_fault(std::string_view name, std::string_view what);

// "app/shop/50dc6c495c0c9188" of a load balancer's ARN, or of one of a listener or rule below it.
std::string balancer_path(std::string_view arn);
// The last part: 16 hex digits.
std::string id_of(std::string_view arn);
// The load balancer's ARN for a listener's, the listener's for a rule's.
std::string balancer_of_listener(std::string_view listener_arn);
std::string listener_of_rule(std::string_view rule_arn);

// The backend of a target group, and the server of a target: stable, and of HAProxy's characters only. A
// server's name is in cookies, so it does not tell the address.
std::string backend_name(std::string_view group_arn);
std::string server_name(std::string_view group_arn, std::string_view address, int port);

}  // namespace sampan::elb
