// Lifecycle policies; one that is read is planned over a few images too.
#include "core/fuzz_target.h"
#include "ecr/lifecycle_plan.h"

namespace sampan::ecr {
namespace {

constexpr core::TimePoint kNow{core::Millis(1'800'000'000'000)};

std::vector<LifecycleImage> images_from(std::string_view input) {
  std::vector<LifecycleImage> images;
  for (std::size_t at = 0; at + 4 < input.size() && images.size() < 12; at += 4) {
    LifecycleImage image;
    image.digest = image::Digest::of(std::to_string(at));
    image.pushed_at = kNow - std::chrono::hours(static_cast<unsigned char>(input[at]));
    image.tags.emplace_back(input.substr(at, 4));
    // Any image may be named by any that came before it, and by itself: what is stored is not trusted either.
    if (input[at + 1] % 3 == 0) image.parents.push_back(image::Digest::of(std::to_string(at / 2 / 4 * 4)));
    image.orphan = input[at + 1] % 7 == 0;
    image.archived = input[at + 2] % 5 == 0;
    images.push_back(std::move(image));
  }
  return images;
}

FUZZ_TARGET(lifecycle) {
  LifecyclePolicy policy;
  try {
    policy = parse_lifecycle_policy(input);
  } catch (const BadLifecyclePolicy&) {
    return;
  }
  FUZZ_CHECK(!policy.rules.empty());
  const auto images = images_from(input);
  std::set<image::Digest> acted;
  for (const auto& action : plan_lifecycle(policy, images, kNow))
    FUZZ_CHECK(acted.insert(action.digest).second);
}

}  // namespace
}  // namespace sampan::ecr
