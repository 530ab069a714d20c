#include "ecr/lifecycle_plan.h"

#include <algorithm>
#include <deque>
#include <map>

#include "core/text.h"

namespace sampan::ecr {
namespace {

using Rule = LifecycleRule;
using Chosen = std::vector<const LifecycleImage*>;

bool has_tag_with(const LifecycleImage& image, const std::string& text, bool is_pattern) {
  return std::any_of(image.tags.begin(), image.tags.end(), [&](const std::string& tag) {
    if (!is_pattern) return tag.starts_with(text);
    // Only '*' stands for something here, and no tag has a '?'.
    return text.find('?') == text.npos && core::wildcard_match(text, tag);
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

class Plan {
 public:
  Plan(const LifecyclePolicy& policy, const std::vector<LifecycleImage>& images)
      : policy_(policy), images_(images), wishes_(images.size()), names_(images.size()) {}

  std::vector<LifecycleAction> make(core::TimePoint now) {
    apply_rules(now);
    read_indexes();
    drop_what_is_held();
    auto actions = in_order();
    add_orphans(now, actions);
    return actions;
  }

 private:
  std::size_t at(const LifecycleImage* image) const {
    return static_cast<std::size_t>(image - images_.data());
  }

  void apply_rules(core::TimePoint now) {
    std::vector<bool> spoken_for(images_.size());  // fits a rule that came before
    for (const auto& rule : policy_.rules) {
      Chosen fitting;
      for (const auto& image : images_) {
        if (fits(rule, image)) fitting.push_back(&image);
      }
      for (const auto* image : choose(rule, fitting, now)) {
        if (spoken_for[at(image)]) continue;
        wishes_[at(image)] = &rule;
        wanted_.push_back(at(image));
      }
      for (const auto* image : fitting) spoken_for[at(image)] = true;
    }
  }

  // For each image the images that it names, and who cannot be taken because an index is not among us.
  void read_indexes() {
    std::map<image::Digest, std::size_t> by_digest;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (images_[i].parents.empty()) continue;
      for (const auto& parent : images_[i].parents) by_digest.emplace(parent, images_.size());
    }
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (const auto found = by_digest.find(images_[i].digest); found != by_digest.end()) found->second = i;
    }
    for (std::size_t i = 0; i < images_.size(); ++i) {
      for (const auto& parent : images_[i].parents) {
        const auto index = by_digest.at(parent);
        if (index == images_.size()) {
          wishes_[i] = nullptr;  // an index that is between two storage classes
        } else {
          names_[index].push_back(i);
        }
      }
    }
  }

  // Whether what is to become of an index lets `child` have its own wish.
  bool lets_go(std::size_t index, std::size_t child) const {
    const auto* mine = wishes_[child];
    const auto* its = wishes_[index];
    if (its && its->action == Rule::Action::kExpire) return true;
    return mine->action == Rule::Action::kArchive && (its || images_[index].archived);
  }

  void drop_what_is_held() {
    std::deque<std::size_t> changed;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (!names_[i].empty()) changed.push_back(i);
    }
    while (!changed.empty()) {
      const auto index = changed.front();
      changed.pop_front();
      for (const auto child : names_[index]) {
        if (!wishes_[child] || lets_go(index, child)) continue;
        wishes_[child] = nullptr;
        if (!names_[child].empty()) changed.push_back(child);
      }
    }
  }

  std::vector<LifecycleAction> in_order() const {
    std::vector<LifecycleAction> actions;
    std::vector<std::size_t> before(images_.size());  // indexes of it that have not been written yet
    for (const auto i : wanted_) {
      if (!wishes_[i]) continue;
      for (const auto child : names_[i]) ++before[child];
    }
    std::deque<std::size_t> ready;
    for (const auto i : wanted_) {
      if (wishes_[i] && before[i] == 0) ready.push_back(i);
    }
    while (!ready.empty()) {
      const auto i = ready.front();
      ready.pop_front();
      actions.push_back({images_[i].digest, wishes_[i]->action, wishes_[i]->priority});
      for (const auto child : names_[i]) {
        if (--before[child] == 0 && wishes_[child]) ready.push_back(child);
      }
    }
    return actions;
  }

  void add_orphans(core::TimePoint now, std::vector<LifecycleAction>& actions) const {
    for (const auto& image : images_) {
      if (!image.orphan || !image.parents.empty() || now - image.pushed_at < kOrphanLife) continue;
      actions.push_back({image.digest, Rule::Action::kExpire, LifecycleAction::kOfNoRule});
    }
  }

  const LifecyclePolicy& policy_;
  const std::vector<LifecycleImage>& images_;
  std::vector<const Rule*> wishes_;              // the rule that wants an image, or none
  std::vector<std::size_t> wanted_;              // images with a wish, in the order of the rules
  std::vector<std::vector<std::size_t>> names_;  // of an index: its images
};

}  // namespace

bool fits(const Rule& rule, const LifecycleImage& image) {
  if (image.orphan) return false;
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
  return Plan(policy, images).make(now);
}

}  // namespace sampan::ecr
