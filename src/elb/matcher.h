// The success codes of a health check: "200", "200,202", "200-299", "200-204,301" (AWS's grammar, which is
// HAProxy's too). Pure.
#pragma once

#include <string>
#include <string_view>

namespace sampan::elb {

// True when `text` is a list of codes and ranges, each within least..most.
bool valid_matcher(std::string_view text, int least = 200, int most = 499);

}  // namespace sampan::elb
