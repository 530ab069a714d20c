#include "ecr/lifecycle_plan.h"

#include <algorithm>

#include "core/text.h"

namespace sampan::ecr {
namespace {

using Rule = LifecycleRule;
using Chosen = std::vector<const LifecycleImage*>;

bool has_tag_with(const LifecycleImage& image, const std::string& text, bool is_pattern) {
  return std::any_of(image.tags.begin(), image.tags.end(), [&](const std::string& tag) {
    return is_pattern ? core::wildcard_match(text, tag) : tag.starts_with(text);
  });
}

core::TimePoint time_of(const Rule& rule, const LifecycleImage& image) {
  switch (rule.count) {
    case Rule::Count::kDaysSincePulled:
      return std::max(image.pulled_at.value_or(image.born_at()), image.born_at());
    case Rule::Count::kDaysSinceTransitioned:
      return image.archived_at.value_or(image.pushed_at);
    default:
      return image.born_at();
  }
}

// Oldest first; the digest decides between those of one millisecond, so that a plan is the same each time.
void sort_by_age(const Rule& rule, Chosen& images) {
  std::sort(images.begin(), images.end(), [&](const auto* a, const auto* b) {
    const auto first = time_of(rule, *a);
    const auto second = time_of(rule, *b);
    return first != second ? first < second : a->digest < b->digest;
  });
}

// Of the images that fit the rule, those it would act on if it were alone.
Chosen choose(const Rule& rule, Chosen images, core::TimePoint now) {
  sort_by_age(rule, images);
  if (rule.count == Rule::Count::kMoreThan) {
    const auto keep = static_cast<std::size_t>(rule.number);
    images.resize(images.size() > keep ? images.size() - keep : 0);
    return images;
  }
  const auto limit = now - std::chrono::hours(24) * rule.number;
  std::erase_if(images, [&](const auto* image) { return time_of(rule, *image) > limit; });
  return images;
}

}  // namespace

bool fits(const Rule& rule, const LifecycleImage& image) {
  if (image.archived != (rule.from == Rule::Class::kArchive)) return false;
  switch (rule.tags) {
    case Rule::Tags::kAny:
      return true;
    case Rule::Tags::kUntagged:
      return image.tags.empty();
    case Rule::Tags::kTagged:
      break;
  }
  const bool patterns = !rule.patterns.empty();
  const auto& texts = patterns ? rule.patterns : rule.prefixes;
  return std::all_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return has_tag_with(image, text, patterns); });
}

std::vector<LifecycleAction> plan_lifecycle(const LifecyclePolicy& policy,
                                            const std::vector<LifecycleImage>& images, core::TimePoint now) {
  std::vector<LifecycleAction> actions;
  std::vector<bool> spoken_for(images.size());  // fits a rule that came before
  for (const auto& rule : policy.rules) {
    Chosen fitting;
    for (const auto& image : images) {
      if (fits(rule, image)) fitting.push_back(&image);
    }
    for (const auto* image : choose(rule, fitting, now)) {
      const auto at = static_cast<std::size_t>(image - images.data());
      if (!spoken_for[at] && !image->held) actions.push_back({image->digest, rule.action, rule.priority});
    }
    for (const auto* image : fitting) spoken_for[static_cast<std::size_t>(image - images.data())] = true;
  }
  return actions;
}

}  // namespace sampan::ecr
