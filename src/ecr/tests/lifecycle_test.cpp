// Lifecycle policies: documents, plans, and a plan that is carried out.
#include <gmock/gmock.h>

#include <random>

#include "ecr/storage_class.h"
#include "ecr/tests/world.h"

namespace sampan::ecr {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Action = LifecycleRule::Action;

std::string rule(int priority, const std::string& selection,
                 const std::string& action = R"({"type":"expire"})") {
  return R"({"rulePriority":)" + std::to_string(priority) + R"(,"selection":)" + selection + R"(,"action":)" +
         action + "}";
}
std::string policy(const std::vector<std::string>& rules) {
  std::string text = R"({"rules":[)";
  for (const auto& each : rules) text += (text.back() == '[' ? "" : ",") + each;
  return text + "]}";
}
const std::string kArchive = R"({"type":"transition","targetStorageClass":"archive"})";

std::string refusal(const std::string& text) {
  try {
    parse_lifecycle_policy(text);
  } catch (const BadLifecyclePolicy& bad) {
    return bad.what();
  }
  return "accepted";
}

TEST(LifecyclePolicy, IsReadWithItsRulesInOrder) {
  const auto read = parse_lifecycle_policy(policy({
      rule(20, R"({"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":90})",
           kArchive),
      rule(
          3,
          R"({"tagStatus":"tagged","tagPatternList":["prod*"],"countType":"imageCountMoreThan","countNumber":5})"),
      rule(
          7,
          R"({"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":365})"),
  }));
  ASSERT_EQ(read.rules.size(), 3U);
  EXPECT_EQ(read.rules[0].priority, 3);
  EXPECT_THAT(read.rules[0].patterns, ElementsAre("prod*"));
  EXPECT_EQ(read.rules[1].from, LifecycleRule::Class::kArchive);
  EXPECT_EQ(read.rules[2].action, Action::kArchive);
}

TEST(LifecyclePolicy, SaysWhatIsWrong) {
  const std::string count = R"("countType":"imageCountMoreThan","countNumber":1})";
  const std::string untagged = R"({"tagStatus":"untagged",)" + count;
  const std::string any = R"({"tagStatus":"any",)" + count;
  const std::string beta = R"({"tagStatus":"tagged","tagPrefixList":["beta"],)" + count;
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\"some text\"", "Could not map policyString into LifecyclePolicy."},
      {"{", "Could not map policyString into LifecyclePolicy."},
      {"{}", "object has missing required properties ([\"rules\"])"},
      {R"({"rules":{}})", "object has missing required properties ([\"rules\"])"},
      {policy({}), "array is too short"},
      {policy({"7"}),
       "instance type (integer) does not match any allowed primitive type (allowed: [\"object\"])"},
      {policy({R"({"selection":)" + any + R"(,"action":{"type":"expire"}})"}), "([\"rulePriority\"])"},
      {policy({rule(1, any, "{}")}), "object has missing required properties ([\"type\"])"},
      {policy({rule(1, any, R"({"type":"keep"})")}),
       "instance value (keep) not found in enum :(possible values: [\"expire\", \"transition\"])"},
      {policy({rule(1, any, R"({"type":"transition"})")}), "([\"targetStorageClass\"])"},
      {policy({rule(1, R"({"tagStatus":"some",)" + count)}),
       "possible values: [\"any\", \"tagged\", \"untagged\"]"},
      {policy({rule(1, R"({"tagStatus":"any","countType":"often","countNumber":1})")}), "matched 0 out of 2"},
      {policy({rule(1, R"({"tagStatus":"any","countType":"imageCountMoreThan","countNumber":0})")}),
       "(minimum: 1, found: 0)"},
      {policy({rule(
           1, R"({"tagStatus":"any","countType":"imageCountMoreThan","countUnit":"days","countNumber":1})")}),
       "([\"countUnit\"])"},
      {policy({rule(1, R"({"tagStatus":"any","countType":"sinceImagePushed","countNumber":1})")}),
       "([\"countUnit\"])"},
      {policy({rule(
           1, R"({"tagStatus":"any","countType":"sinceImagePushed","countUnit":"weeks","countNumber":1})")}),
       "possible values: [\"days\"]"},
      {policy({rule(1, R"({"tagStatus":"tagged",)" + count)}),
       "tagPatternList or tagPrefixList must be specified"},
      {policy({rule(1, R"({"tagStatus":"untagged","tagPrefixList":["a"],)" + count)}),
       "can only be specified when tagStatus"},
      {policy({rule(1, R"({"tagStatus":"tagged","tagPatternList":["*a*b*c*d*"],)" + count)}),
       "more than 4 wildcards"},
      {policy({rule(1, any), rule(2, untagged)}), "must have the highest rulePriority"},
      {policy({rule(1, untagged), rule(2, untagged)}), "only be one rule"},
      {policy({rule(1, beta), rule(2, beta)}), "must not have the same tag prefixes"},
      {policy({rule(1, beta), rule(1, any)}), "must be unique"},
      {policy({rule(1, R"({"tagStatus":"any","storageClass":"archive",)" + count)}), "needs countType"},
  };
  for (const auto& [text, why] : cases) EXPECT_THAT(refusal(text), HasSubstr(why)) << text;
  EXPECT_EQ(refusal(policy({rule(1, untagged), rule(2, beta), rule(3, any)})), "accepted");
  EXPECT_THAT(refusal(std::string(kLongestLifecyclePolicy + 1, ' ')), HasSubstr("longer than 30720"));
}

// ---- plans

constexpr core::TimePoint kNow{core::Millis(1'800'000'000'000)};
image::Digest digest_of(const std::string& name) {
  return image::Digest::of(name);
}
LifecycleImage pushed(const std::string& name, std::vector<std::string> tags, int days_ago) {
  LifecycleImage image;
  image.digest = digest_of(name);
  image.tags = std::move(tags);
  image.pushed_at = kNow - std::chrono::hours(24) * days_ago;
  return image;
}
std::vector<LifecycleAction> plan(const std::vector<std::string>& rules,
                                  const std::vector<LifecycleImage>& images) {
  return plan_lifecycle(parse_lifecycle_policy(policy(rules)), images, kNow);
}
LifecycleAction expire(const std::string& name, int priority) {
  return {digest_of(name), Action::kExpire, priority};
}
std::string more_than(int number, const std::string& tags) {
  return R"({)" + tags + R"(,"countType":"imageCountMoreThan","countNumber":)" + std::to_string(number) + "}";
}
std::string tagged(const std::string& list) {
  return R"("tagStatus":"tagged","tagPrefixList":)" + list;
}

// The four examples of ECR's guide ("Examples of lifecycle policies": multiple rules, multiple tags).
TEST(LifecyclePlan, FollowsTheGuidesExamples) {
  const std::vector<LifecycleImage> images{pushed("A", {"beta-1", "prod-1"}, 10),
                                           pushed("B", {"beta-2", "prod-2"}, 9), pushed("C", {"beta-3"}, 8)};
  const auto prod = more_than(1, tagged(R"(["prod"])"));
  const auto beta = more_than(1, tagged(R"(["beta"])"));
  EXPECT_THAT(plan({rule(1, prod), rule(2, beta)}, images), ElementsAre(expire("A", 1)));
  EXPECT_THAT(plan({rule(1, beta), rule(2, prod)}, images), ElementsAre(expire("A", 1), expire("B", 1)));
  // Several prefixes: all must be met.
  const std::vector<LifecycleImage> mixed{pushed("A", {"alpha-1"}, 12), pushed("B", {"beta-1"}, 11),
                                          pushed("C", {"alpha-2", "beta-2"}, 10), pushed("D", {"alpha-3"}, 4),
                                          pushed("E", {"git-abc", "beta-2"}, 3)};
  const auto both =
      R"({"tagStatus":"tagged","tagPrefixList":["alpha","beta"],"countType":"sinceImagePushed","countUnit":"days","countNumber":5})";
  EXPECT_THAT(plan({rule(1, both)}, mixed), ElementsAre(expire("C", 1)));
  // Any: the rest of what the rules before it did not speak for.
  const auto alpha = more_than(1, tagged(R"(["alpha"])"));
  const auto any = more_than(1, R"("tagStatus":"any")");
  EXPECT_THAT(plan({rule(1, alpha), rule(2, any)}, mixed),
              ElementsAre(expire("A", 1), expire("C", 1), expire("B", 2)));
}

TEST(LifecyclePlan, CountsDaysFromPushPullAndTransition) {
  auto pulled = pushed("pulled", {}, 100);
  pulled.pulled_at = kNow - std::chrono::hours(24 * 5);
  auto old = pushed("old", {}, 100);
  auto archived = pushed("archived", {}, 200);
  archived.archived = true;
  archived.archived_at = kNow - std::chrono::hours(24 * 40);
  auto restored = pushed("restored", {}, 300);
  restored.archived_at = kNow - std::chrono::hours(24 * 50);
  restored.activated_at = kNow - std::chrono::hours(24 * 2);
  const std::vector<LifecycleImage> images{pulled, old, archived, restored};
  const auto by_pull =
      R"({"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":30})";
  EXPECT_THAT(plan({rule(1, by_pull, kArchive)}, images),
              ElementsAre(LifecycleAction{digest_of("old"), Action::kArchive, 1}));
  const auto by_transition =
      R"({"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":30})";
  EXPECT_THAT(plan({rule(1, by_transition)}, images), ElementsAre(expire("archived", 1)));
  const auto exactly =
      R"({"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":100})";
  EXPECT_EQ(plan({rule(1, exactly)}, images).size(), 2U);
}

TEST(LifecyclePlan, LeavesWhatAnIndexHolds) {
  auto held = pushed("child", {}, 100);
  held.held = true;
  EXPECT_THAT(
      plan(
          {rule(
              1,
              R"({"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":1})")},
          {held, pushed("index", {"latest"}, 100)}),
      IsEmpty());
}

TEST(LifecyclePlan, PatternsStandForWholeTags) {
  const std::vector<LifecycleImage> images{pushed("A", {"prod-1-eu"}, 3), pushed("B", {"my-prod-1-eu"}, 2),
                                           pushed("C", {"prod-1"}, 1)};
  const auto selection =
      R"({"tagStatus":"tagged","tagPatternList":["prod*eu"],"countType":"sinceImagePushed","countUnit":"days","countNumber":1})";
  EXPECT_THAT(plan({rule(1, selection)}, images), ElementsAre(expire("A", 1)));
}

// Whatever the images and rules: one action an image at most, by the first rule that fits it; never more than
// a rule may take alone; and what is left gives nothing more to do for rules by count.
TEST(LifecyclePlan, KeepsItsPromisesForRandomImages) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto pick = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  const std::vector<std::string> words{"a", "ab", "b", "prod", "prod-x"};
  for (int round = 0; round < 300; ++round) {
    std::vector<LifecycleImage> images;
    for (int i = pick(25); i > 0; --i) {
      auto image = pushed(std::to_string(i), {}, pick(20));
      for (const auto& word : words) {
        if (pick(3) == 0) image.tags.push_back(word + std::to_string(i));
      }
      image.held = pick(9) == 0;
      images.push_back(std::move(image));
    }
    const auto read =
        parse_lifecycle_policy(policy({rule(1, more_than(1 + pick(5), tagged(R"(["prod"])"))),
                                       rule(2, more_than(1 + pick(5), tagged(R"(["a","b"])"))),
                                       rule(3, more_than(1 + pick(3), R"("tagStatus":"untagged")")),
                                       rule(4, more_than(1 + pick(9), R"("tagStatus":"any")"))}));
    const auto actions = plan_lifecycle(read, images, kNow);
    std::set<image::Digest> gone;
    for (const auto& action : actions) {
      ASSERT_TRUE(gone.insert(action.digest).second);
      const auto image = std::find_if(images.begin(), images.end(),
                                      [&](const auto& each) { return each.digest == action.digest; });
      ASSERT_FALSE(image->held);
      const auto first = std::find_if(read.rules.begin(), read.rules.end(),
                                      [&](const auto& each) { return fits(each, *image); });
      ASSERT_EQ(first->priority, action.priority);
    }
    std::vector<LifecycleImage> left;
    for (const auto& image : images) {
      if (!gone.contains(image.digest)) left.push_back(image);
    }
    for (const auto& image : left) {
      // Nobody older than one that stays by count was kept in its place.
      if (image.held) continue;
      const auto first = std::find_if(read.rules.begin(), read.rules.end(),
                                      [&](const auto& each) { return fits(each, image); });
      if (first == read.rules.end()) continue;
      const auto younger = std::count_if(images.begin(), images.end(), [&](const auto& each) {
        return fits(*first, each) && (each.pushed_at > image.pushed_at ||
                                      (each.pushed_at == image.pushed_at && image.digest < each.digest));
      });
      ASSERT_LT(younger, first->number);
    }
  }
}

// ---- carried out

struct LifecycleTest : ::testing::Test {
  image::Digest push(const std::string& seed, const std::string& tag, const std::string& more = {}) {
    const auto manifest = world.make_image("team/app", seed, more);
    const auto digest = image::Digest::of(manifest);
    EXPECT_EQ(world.put_manifest("team/app", tag.empty() ? digest.str() : tag, manifest).status, 201);
    world.clock.advance(std::chrono::hours(1));
    return digest;
  }
  bool there(const image::Digest& digest) { return world.wait(look(digest)); }
  io::Awaitable<bool> look(image::Digest digest) {
    co_return world.repositories.find_image(id, digest) != nullptr;
  }
  void put(const std::string& text) { world.wait(world.lifecycle.put(id, text)); }
  std::size_t evaluate() { return world.wait(world.lifecycle.evaluate(id)); }

  World world;
  RepositoryId id = World::id("team/app");
};

TEST_F(LifecycleTest, ExpiresOldestFirstAndRemembersWhenItLooked) {
  world.create("team/app");
  const auto first = push("1", "v1");
  const auto second = push("2", "v2");
  const auto third = push("3", "v3");
  put(policy({rule(1, more_than(2, R"("tagStatus":"any")"))}));
  EXPECT_EQ(evaluate(), 1U);
  EXPECT_FALSE(there(first));
  EXPECT_TRUE(there(second) && there(third));
  EXPECT_EQ(evaluate(), 0U);
  EXPECT_EQ(world.lifecycle.find(id)->evaluated_at, world.clock.now());
}

TEST_F(LifecycleTest, ASignatureGoesWithItsSubject) {
  world.create("team/app");
  const auto subject = push("1", "v1");
  const auto size = world.content.size(subject);
  const auto signature =
      push("sig", "",
           R"(,"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":)" +
               std::to_string(*size) + R"(,"digest":")" + subject.str() + "\"}");
  push("2", "v2");
  put(policy({rule(1, more_than(1, R"("tagStatus":"any")"))}));
  evaluate();
  EXPECT_FALSE(there(subject));
  EXPECT_FALSE(there(signature));
}

TEST_F(LifecycleTest, AnIndexGoesBeforeItsImages) {
  world.create("team/app");
  const auto child = push("child", "");
  const auto index =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":)" +
      std::to_string(*world.content.size(child)) + R"(,"digest":")" + child.str() + R"("}]})";
  ASSERT_EQ(world.put_manifest("team/app", "multi", index, image::kOciIndex).status, 201);
  put(policy(
      {rule(1, R"({"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":1})")}));
  EXPECT_EQ(evaluate(), 0U);
  world.clock.advance(std::chrono::hours(25));
  EXPECT_EQ(evaluate(), 2U);
  EXPECT_FALSE(there(child));
}

TEST_F(LifecycleTest, ArchivedImagesAreNotPulledUntilTheyAreRestored) {
  world.create("team/app");
  const auto digest = push("1", "v1");
  put(policy(
      {rule(1, R"({"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":1})",
            kArchive)}));
  world.clock.advance(std::chrono::hours(48));
  EXPECT_EQ(evaluate(), 1U);
  const auto answer = world.call("GET", "/v2/team/app/manifests/v1");
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("archived"));
  EXPECT_TRUE(world.archived.hides(id, image::Digest::of("1")));
  world.wait(
      world.repositories.change_image(id, digest, [&](ImageRow& row) { restore(row, world.clock.now()); }));
  EXPECT_EQ(world.call("GET", "/v2/team/app/manifests/v1").status, 403);
  world.clock.advance(kActivation);
  EXPECT_EQ(world.call("GET", "/v2/team/app/manifests/v1").status, 200);
  EXPECT_FALSE(world.archived.hides(id, image::Digest::of("1")));
}

TEST(StorageClass, FollowsFromTwoTimes) {
  ImageRow row;
  EXPECT_EQ(status_of(row, kNow), ImageStatus::kActive);
  for (int i = 0; i < 3; ++i) {
    const auto now = kNow + std::chrono::seconds(10 * i);
    archive(row, now);
    EXPECT_EQ(status_of(row, now), ImageStatus::kArchived);
    restore(row, now);
    EXPECT_EQ(status_of(row, now), ImageStatus::kActivating);
    EXPECT_EQ(status_of(row, now + kActivation + std::chrono::seconds(1)), ImageStatus::kActive);
  }
}

TEST_F(LifecycleTest, TheRowsGoWithTheRepository) {
  world.create("team/app");
  put(policy({rule(1, more_than(2, R"("tagStatus":"any")"))}));
  EXPECT_TRUE(world.wait(world.lifecycle.start_preview(id, world.lifecycle.find(id)->text)));
  world.wait(world.repositories.remove(id, true));
  world.create("team/app");
  EXPECT_EQ(world.lifecycle.find(id), nullptr);
  EXPECT_EQ(world.lifecycle.find_preview(id), nullptr);
}

TEST(RegistrySettings, CountsPullsOfAllButTheExcluded) {
  World world;
  const auto id = World::id("team/app");
  const std::string role = "arn:aws:iam::000000000000:role/scanner";
  EXPECT_TRUE(world.settings.counts_pull(id, role));
  EXPECT_TRUE(world.wait(world.settings.exclude(id.account, id.region, role)));
  EXPECT_FALSE(world.wait(world.settings.exclude(id.account, id.region, role)));
  EXPECT_FALSE(world.settings.counts_pull(id, role));
  EXPECT_FALSE(world.settings.counts_pull(id, "arn:aws:sts::000000000000:assumed-role/scanner/session"));
  EXPECT_TRUE(world.settings.counts_pull(id, "arn:aws:iam::000000000000:root"));
  EXPECT_TRUE(world.wait(world.settings.include(id.account, id.region, role)));
  EXPECT_TRUE(world.settings.counts_pull(id, role));
}

}  // namespace
}  // namespace sampan::ecr
