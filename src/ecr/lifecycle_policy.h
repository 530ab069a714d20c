// A lifecycle policy's document, read and checked as ECR does. Pure.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::ecr {

inline constexpr std::size_t kLongestLifecyclePolicy = 30'720;  // the API model's own limit
inline constexpr std::size_t kMostLifecycleRules = 50;          // ECR's quota

struct LifecycleRule {
  enum class Tags { kAny, kTagged, kUntagged };
  enum class Class { kStandard, kArchive };
  enum class Count { kMoreThan, kDaysSincePushed, kDaysSincePulled, kDaysSinceTransitioned };
  enum class Action { kExpire, kArchive };

  std::int64_t priority = 0;
  std::string description;
  Tags tags = Tags::kAny;
  std::vector<std::string> prefixes;  // of a tagged rule: these or patterns
  std::vector<std::string> patterns;  // with '*'
  Class from = Class::kStandard;      // the storage class it looks at
  Count count = Count::kMoreThan;
  std::int64_t number = 0;  // of images or of days
  Action action = Action::kExpire;
};

struct LifecyclePolicy {
  std::vector<LifecycleRule> rules;  // by priority
};

// What is wrong, in the words that follow "Lifecycle policy validation failure: ".
class BadLifecyclePolicy : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
LifecyclePolicy parse_lifecycle_policy(std::string_view text);

// The whole of ECR's message for a document that is refused.
std::string lifecycle_refusal(const BadLifecyclePolicy& bad);

}  // namespace sampan::ecr
