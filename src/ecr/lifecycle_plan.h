// What a lifecycle policy does to a repository's images now. Pure.
//
// As ECR has it: every rule first finds its images as if no other rule were there; then the rules apply by
// priority. An image is acted on by one rule at most, and one that fits the tags of a rule is left alone by
// all rules after it. Several prefixes or patterns must all be met. Oldest go first. An image that an index
// names stays until its last index goes, and is not archived before it; where one plan takes both, the index
// stands before its images. What refers to an image (a signature) is no image of its own here: it goes with
// its subject, and a day after it was pushed when there is no subject.
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
  std::vector<image::Digest> parents;           // indexes of the repository that name it
  bool orphan = false;                          // refers to an image that is not there

  // From when its age counts: an image taken out of the archive is young again.
  core::TimePoint born_at() const { return activated_at ? *activated_at : pushed_at; }
};

struct LifecycleAction {
  image::Digest digest;
  LifecycleRule::Action action = LifecycleRule::Action::kExpire;
  std::int64_t priority = kOfNoRule;            // of the rule
  static constexpr std::int64_t kOfNoRule = 0;  // an orphan: no rule is needed for it
  bool operator==(const LifecycleAction&) const = default;
};

inline constexpr std::chrono::hours kOrphanLife{24};

// In the order of the rules, and oldest first within one; but an index before the images that it names.
std::vector<LifecycleAction> plan_lifecycle(const LifecyclePolicy& policy,
                                            const std::vector<LifecycleImage>& images, core::TimePoint now);

// Whether an image is one that a rule is about: by its tags and its storage class.
bool fits(const LifecycleRule& rule, const LifecycleImage& image);

}  // namespace sampan::ecr
