#include "aws/validation_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>

namespace sampan::aws {
namespace {

std::string joined(std::span<const std::string_view> values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

std::int64_t bound(const Violation& violation) {
  const auto& limits = *violation.shape->limits;
  return static_cast<std::int64_t>(violation.below ? *limits.min : *limits.max);
}

// "Member must have length less than or equal to 64": what nearly every AWS service says.
std::string constraint(const Violation& violation) {
  const auto relation = violation.below ? "greater than or equal to" : "less than or equal to";
  switch (violation.kind) {
    case Violation::Kind::kRequired:
      return "Member must not be null";
    case Violation::Kind::kLength:
    case Violation::Kind::kSize:
      return fmt::format("Member must have length {} {}", relation, bound(violation));
    case Violation::Kind::kRange:
      return fmt::format("Member must have value {} {}", relation, bound(violation));
    case Violation::Kind::kPattern:
      return fmt::format("Member must satisfy regular expression pattern: {}",
                         violation.shape->limits->pattern);
    case Violation::Kind::kEnum:
      return fmt::format("Member must satisfy enum value set: {}", joined(violation.shape->limits->values));
  }
  return {};
}

// Query services name members as their Java code does: 'roleSessionName' where the API says RoleSessionName.
std::string lower_names(std::string path) {
  bool first = true;
  for (auto& c : path) {
    if (first) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    first = c == '.';
  }
  return path;
}

// "2 validation errors detected: Value 'x' at 'a' failed to satisfy constraint: ...; Value null at 'b' ...".
std::string detected(Protocol protocol, const Violations& violations) {
  const auto& found = violations.found();
  auto text = fmt::format("{} validation error{} detected: ", found.size(), found.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& violation = found[i];
    const auto where = protocol == Protocol::kQuery ? lower_names(violation.path) : violation.path;
    if (i) text += "; ";
    const bool null = violation.kind == Violation::Kind::kRequired;
    const auto shown = null ? "null" : violation.shape->sensitive ? "" : fmt::format("'{}'", violation.value);
    text += fmt::format("Value {}at '{}' failed to satisfy constraint: {}",
                        shown.empty() ? shown : shown + " ", where, constraint(violation));
  }
  return text;
}

std::string ecr_constraint(const Violation& violation) {
  const auto relation = violation.below ? "greater than or equal to" : "less than or equal to";
  switch (violation.kind) {
    case Violation::Kind::kRequired:
      return "must not be null";
    case Violation::Kind::kPattern:
      return fmt::format("must satisfy regular expression '{}'", violation.shape->limits->pattern);
    case Violation::Kind::kEnum:
      return fmt::format("must satisfy enum value set: {}", joined(violation.shape->limits->values));
    case Violation::Kind::kLength:
    case Violation::Kind::kSize:
      return fmt::format("must have length {} {}", relation, bound(violation));
    case Violation::Kind::kRange:
      return fmt::format("must have value {} {}", relation, bound(violation));
  }
  return {};
}

std::string capital(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

// ECS checks by hand: what a task definition lacks is a ClientException, the rest an
// InvalidParameterException.
Fault ecs_fault(std::string_view operation, const Violation& violation) {
  const bool definition = operation == "RegisterTaskDefinition";
  const std::string code = definition ? "ClientException" : "InvalidParameterException";
  if (violation.kind != Violation::Kind::kRequired) {
    return Fault(code, 400,
                 fmt::format("Invalid setting for '{}'. {}.", violation.path,
                             capital(constraint(violation).substr(std::string_view("Member ").size()))));
  }
  if (violation.member == "containerDefinitions") return Fault(code, 400, "Container list cannot be empty.");
  if (violation.member == "subnets") return Fault(code, 400, "subnets can not be empty.");
  if (definition) return Fault(code, 400, capital(violation.path) + " should not be null or empty.");
  const bool list = violation.shape->kind == Kind::kList;
  return Fault(code, 400, capital(violation.member) + (list ? " cannot be empty." : " can not be blank."));
}

Fault ec2_fault(const Violation& violation) {
  if (violation.kind == Violation::Kind::kRequired) {
    return Fault("MissingParameter", 400,
                 fmt::format("The request must contain the parameter {}", capital(violation.member)));
  }
  return Fault("InvalidParameterValue", 400,
               fmt::format("Value ({}) for parameter {} is invalid. {}", violation.value,
                           capital(violation.member), constraint(violation)));
}

}  // namespace

Fault validation_fault(const ServiceModel& service, std::string_view operation,
                       const Violations& violations) {
  const auto& first = violations.found().front();
  if (service.name == "ecs") return ecs_fault(operation, first);
  if (service.name == "ecr") {
    return Fault("InvalidParameterException", 400,
                 fmt::format("Invalid parameter at '{}' failed to satisfy constraint: '{}'", first.path,
                             ecr_constraint(first)));
  }
  switch (service.protocol) {
    case Protocol::kEc2:
      return ec2_fault(first);
    case Protocol::kQuery:
      return Fault("ValidationError", 400, detected(service.protocol, violations));
    case Protocol::kJson:
      break;
  }
  return Fault("InvalidParameterException", 400, detected(service.protocol, violations));
}

Fault serialization_fault(Protocol protocol, std::string_view why) {
  switch (protocol) {
    case Protocol::kJson:
      return Fault("SerializationException", 400, std::string(why));
    case Protocol::kQuery:
      return Fault("MalformedInput", 400, std::string(why));
    case Protocol::kEc2:
      break;
  }
  return Fault("InvalidParameterValue", 400, std::string(why));
}

}  // namespace sampan::aws
