#include "iam/policy_condition.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "aws/time_text.h"
#include "core/text.h"

namespace sampan::iam {
namespace {

using Op = ConditionOperator;
using Test = Op::Test;
using Compare = Op::Compare;

struct Named {
  std::string_view name;
  Op op;
};

constexpr Named kOperators[] = {
    {"StringEquals", {Test::kString}},
    {"StringNotEquals", {Test::kString, Compare::kEqual, true}},
    {"StringEqualsIgnoreCase", {Test::kStringIgnoringCase}},
    {"StringNotEqualsIgnoreCase", {Test::kStringIgnoringCase, Compare::kEqual, true}},
    {"StringLike", {Test::kStringLike}},
    {"StringNotLike", {Test::kStringLike, Compare::kEqual, true}},
    {"NumericEquals", {Test::kNumber}},
    {"NumericNotEquals", {Test::kNumber, Compare::kEqual, true}},
    {"NumericLessThan", {Test::kNumber, Compare::kLess}},
    {"NumericLessThanEquals", {Test::kNumber, Compare::kLessOrEqual}},
    {"NumericGreaterThan", {Test::kNumber, Compare::kGreater}},
    {"NumericGreaterThanEquals", {Test::kNumber, Compare::kGreaterOrEqual}},
    {"DateEquals", {Test::kDate}},
    {"DateNotEquals", {Test::kDate, Compare::kEqual, true}},
    {"DateLessThan", {Test::kDate, Compare::kLess}},
    {"DateLessThanEquals", {Test::kDate, Compare::kLessOrEqual}},
    {"DateGreaterThan", {Test::kDate, Compare::kGreater}},
    {"DateGreaterThanEquals", {Test::kDate, Compare::kGreaterOrEqual}},
    {"Bool", {Test::kBool}},
    {"BinaryEquals", {Test::kBinary}},
    {"IpAddress", {Test::kIp}},
    {"NotIpAddress", {Test::kIp, Compare::kEqual, true}},
    {"ArnEquals", {Test::kArn}},
    {"ArnLike", {Test::kArn}},
    {"ArnNotEquals", {Test::kArn, Compare::kEqual, true}},
    {"ArnNotLike", {Test::kArn, Compare::kEqual, true}},
    {"Null", {Test::kNull}},
};

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> time_of(std::string_view text) {
  if (const auto time = aws::parse_iso8601(text)) return core::to_epoch_seconds(*time);
  return number_of(text);
}

bool compares(Compare how, std::optional<double> given, std::optional<double> wanted) {
  if (!given || !wanted) return false;
  switch (how) {
    case Compare::kEqual:
      return *given == *wanted;
    case Compare::kLess:
      return *given < *wanted;
    case Compare::kLessOrEqual:
      return *given <= *wanted;
    case Compare::kGreater:
      return *given > *wanted;
    case Compare::kGreaterOrEqual:
      return *given >= *wanted;
  }
  return false;
}

// An address as bits: 32 of IPv4 (also when written in IPv6), 128 of IPv6.
std::optional<std::vector<unsigned char>> address_of(const std::string& text) {
  std::vector<unsigned char> bytes(4);
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(16);
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
  static constexpr unsigned char kMapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(std::begin(kMapped), std::end(kMapped), bytes.begin()))
    bytes.erase(bytes.begin(), bytes.begin() + 12);
  return bytes;
}

bool in_network(const std::string& given, std::string_view network) {
  const auto slash = network.find('/');
  const auto address = address_of(given);
  const auto base = address_of(std::string(network.substr(0, slash)));
  if (!address || !base || address->size() != base->size()) return false;
  const auto most = static_cast<std::int64_t>(base->size() * 8);
  auto bits = std::optional<std::int64_t>(most);
  if (slash != std::string_view::npos) bits = core::parse_int(network.substr(slash + 1));
  if (!bits || *bits < 0 || *bits > most) return false;
  for (std::int64_t bit = 0; bit < *bits; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if (((*address)[byte] & mask) != ((*base)[byte] & mask)) return false;
  }
  return true;
}

bool one_matches(const Op& op, const std::string& given, const Pattern& wanted) {
  switch (op.test) {
    case Test::kString:
    case Test::kBinary:
      return given == wanted.literal();
    case Test::kStringIgnoringCase:
    case Test::kBool:
      return core::equal_ignoring_case(given, wanted.literal());
    case Test::kStringLike:
      return wanted.matches(given);
    case Test::kNumber:
      return compares(op.compare, number_of(given), number_of(wanted.literal()));
    case Test::kDate:
      return compares(op.compare, time_of(given), time_of(wanted.literal()));
    case Test::kIp:
      return in_network(given, wanted.literal());
    case Test::kArn:
      return arn_matches(wanted, given);
    case Test::kNull:
      break;
  }
  return false;
}

bool has_wildcards(const Op& op) {
  return op.test == Test::kStringLike || op.test == Test::kArn;
}

}  // namespace

void Context::set(std::string_view key, std::string value) {
  set(key, std::vector<std::string>{std::move(value)});
}

void Context::set(std::string_view key, std::vector<std::string> values) {
  auto name = core::to_lower(key);
  for (auto& [known, held] : values_) {
    if (known == name) {
      held = std::move(values);
      return;
    }
  }
  values_.emplace_back(std::move(name), std::move(values));
}

const std::vector<std::string>* Context::find(std::string_view key) const {
  for (const auto& [known, held] : values_) {
    if (core::equal_ignoring_case(known, key)) return &held;
  }
  return nullptr;
}

std::optional<std::string> Context::text(std::string_view key) const {
  const auto* values = find(key);
  if (!values || values->size() != 1) return std::nullopt;
  return values->front();
}

std::optional<ConditionOperator> ConditionOperator::parse(std::string_view name) {
  auto set = Set::kOne;
  for (const auto& [prefix, meant] :
       {std::pair{std::string_view("ForAnyValue:"), Set::kAnyValue}, {"ForAllValues:", Set::kAllValues}}) {
    if (!name.starts_with(prefix)) continue;
    set = meant;
    name.remove_prefix(prefix.size());
    break;
  }
  constexpr std::string_view kIfExists = "IfExists";
  const bool if_exists = name.ends_with(kIfExists);
  if (if_exists) name.remove_suffix(kIfExists.size());
  for (const auto& known : kOperators) {
    if (known.name != name) continue;
    if (known.op.test == Test::kNull && if_exists) return std::nullopt;
    auto op = known.op;
    op.if_exists = if_exists;
    op.set = set;
    return op;
  }
  return std::nullopt;
}

bool holds(const Condition& condition, const Context& context, Variables variables) {
  const auto& op = condition.op;
  const auto* given = context.find(condition.key);
  const bool absent = !given || given->empty();
  if (op.test == Test::kNull) {
    return std::ranges::any_of(condition.values, [&](const std::string& wanted) {
      return core::equal_ignoring_case(wanted, absent ? "true" : "false");
    });
  }
  if (absent) {
    if (op.set == Op::Set::kAllValues) return true;
    return op.if_exists || (op.negated && op.set == Op::Set::kOne);
  }
  std::vector<Pattern> wanted;
  const auto wildcards = has_wildcards(op) ? Pattern::Wildcards::kMatch : Pattern::Wildcards::kLiteral;
  for (const auto& text : condition.values) {
    if (auto pattern = Pattern::make(text, context, variables, wildcards))
      wanted.push_back(std::move(*pattern));
  }
  const auto matches_some = [&](const std::string& value) {
    return std::ranges::any_of(wanted,
                               [&](const Pattern& pattern) { return one_matches(op, value, pattern); });
  };
  const auto satisfied = [&](const std::string& value) { return matches_some(value) != op.negated; };
  if (op.set == Op::Set::kAnyValue) return std::ranges::any_of(*given, satisfied);
  if (op.set == Op::Set::kAllValues) return std::ranges::all_of(*given, satisfied);
  return std::ranges::any_of(*given, matches_some) != op.negated;
}

}  // namespace sampan::iam
