// Attributes of load balancers, listeners and target groups: their names, defaults and what they may be.
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace sampan::elb {

using Attributes = std::map<std::string, std::string>;

enum class AttributeOwner { kBalancer, kListener, kGroup };

Attributes default_attributes(AttributeOwner owner);

// Throws ValidationError: an unknown key, or a value that it may not have.
void check_attribute(AttributeOwner owner, const std::string& key, const std::string& value);
// What single values cannot tell: slow start with an algorithm that has none, stickiness without its cookie.
void check_group_attributes(const Attributes& attributes);

int number(const Attributes& attributes, std::string_view key);
bool flag(const Attributes& attributes, std::string_view key);
std::string text(const Attributes& attributes, std::string_view key);

}  // namespace sampan::elb
