// What a lifecycle policy does to a repository's images now. Pure.
//
// As ECR has it: every rule first finds its images as if no other rule were there; then the rules apply by
// priority. An image is acted on by one rule at most, and one that fits the tags of a rule is left alone by
// all rules after it. Several prefixes or patterns must all be met. Oldest go first. An image that an index
// holds stays until the index goes; what refers to an image (a signature) is no image of its own here: it
// goes with its subject.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "ecr/lifecycle_policy.h"
#include "image/reference.h"

namespace sampan::ecr {

struct LifecycleImage {
  image::Digest digest;
  std::vector<std::string> tags;
  core::TimePoint pushed_at{};
  std::optional<core::TimePoint> pulled_at;
  std::optional<core::TimePoint> archived_at;   // the last time
  std::optional<core::TimePoint> activated_at;  // taken back out of the archive, the last time
  bool archived = false;                        // now
  bool held = false;                            // an index of the repository names it

  // From when its age counts: an image taken out of the archive is young again.
  core::TimePoint born_at() const { return activated_at ? *activated_at : pushed_at; }
};

struct LifecycleAction {
  image::Digest digest;
  LifecycleRule::Action action = LifecycleRule::Action::kExpire;
  std::int64_t priority = 0;  // of the rule
  bool operator==(const LifecycleAction&) const = default;
};

// In the order of the rules, and oldest first within one.
std::vector<LifecycleAction> plan_lifecycle(const LifecyclePolicy& policy,
                                            const std::vector<LifecycleImage>& images, core::TimePoint now);

// Whether an image's tags and storage class are those a rule is about.
bool fits(const LifecycleRule& rule, const LifecycleImage& image);

}  // namespace sampan::ecr
