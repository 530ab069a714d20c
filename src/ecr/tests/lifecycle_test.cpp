// Lifecycle policies: documents, plans, and a plan that is carried out.
#include <gmock/gmock.h>

#include <random>

#include "ecr/image_family.h"
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

std::string days(const std::string& count_type, std::int64_t number, const std::string& storage_class = {}) {
  return R"({"tagStatus":"any",)" +
         (storage_class.empty() ? "" : R"("storageClass":")" + storage_class + "\",") + R"("countType":")" +
         count_type + R"(","countUnit":"days","countNumber":)" + std::to_string(number) + "}";
}

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
      {policy({rule(1, any, R"({"type":"keep"})")}), "(matched 0 out of 2)\n"},
      {policy({rule(1, any, R"({"type":"transition"})")}), "(matched 0 out of 2)\n"},
      {policy({rule(1, any, R"({"type":"expire","targetStorageClass":null})")}), "(matched 0 out of 2)\n"},
      {policy({rule(1, any, R"({"type":"expire","colour":"red"})")}),
       "not allowed by the schema: ([\"colour\"])"},
      {policy({rule(1, R"({"tagStatus":"some",)" + count)}),
       "possible values: [\"any\", \"tagged\", \"untagged\"]"},
      {policy({rule(1, R"({"tagStatus":"any","countType":"often","countNumber":1})")}), "matched 0 out of 4"},
      {policy({rule(1, R"({"tagStatus":"any","countType":"imageCountMoreThan","countNumber":0})")}),
       "(minimum: 1, found: 0)"},
      {policy({rule(
           1, R"({"tagStatus":"any","countType":"imageCountMoreThan","countUnit":"days","countNumber":1})")}),
       "(matched 0 out of 4)\n"},
      {policy({rule(1, R"({"tagStatus":"any","countType":"sinceImagePushed","countNumber":1})")}),
       "(matched 0 out of 4)\n"},
      {policy({rule(1, days("sinceImageTransitioned", 100))}), "(matched 0 out of 4)\n"},
      {policy({rule(1, days("sinceImageTransitioned", 89, "archive"))}), "(minimum: 90, found: 89)"},
      {policy({rule(1, days("sinceImageTransitioned", 90, "archive"), kArchive)}), "type must be expire"},
      {policy({rule(1, days("sinceImagePulled", 90))}), "type must be transition"},
      {policy({rule(1, days("sinceImagePushed", 90, "archive"))}), "(matched 0 out of 4)\n"},
      {policy({rule(1, days("sinceImagePushed", 3'000'000'000))}), "Could not map policyString"},
      {policy({rule(0, any)}), "(minimum: 1, found: 0)"},
      {policy({rule(1, R"({"tagStatus":"tagged","tagPrefixList":[""],)" + count)}), "is too short"},
      {policy({rule(1, R"({"tagStatus":"tagged","tagPrefixList":"a",)" + count)}), "allowed: [\"array\"]"},
      {policy({rule(1, R"({"tagStatus":"tagged","tagPrefixList":["a"],"tagPatternList":["b"],)" + count)}),
       "Can't specify both"},
      {policy(std::vector<std::string>(kMostLifecycleRules + 1, rule(1, any))), "array is too long"},
      {std::string(5000, '['), "Could not map policyString"},
      {policy({rule(
           1, R"({"tagStatus":"any","countType":"sinceImagePushed","countUnit":"weeks","countNumber":1})")}),
       "possible values: [\"days\"]"},
      {policy({rule(1, R"({"tagStatus":"tagged",)" + count)}),
       "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED."},
      {policy({rule(1, R"({"tagStatus":"untagged","tagPrefixList":["a"],)" + count)}),
       "when tagStatus=UNTAGGED."},
      {policy({rule(1, R"({"tagStatus":"tagged","tagPatternList":["*a*b*c*d*"],)" + count)}),
       "more than 4 wildcards"},
      {policy({rule(1, any), rule(2, untagged)}),
       "Rule for tagStatus=ANY must have the lowest priority per storage class."},
      {policy({rule(1, untagged), rule(2, untagged)}),
       "Only one rule can select Untagged images per storage class."},
      {policy({rule(1, beta), rule(2, beta)}), "unique tagPrefixLists"},
      {policy({rule(1, beta), rule(1, any)}), "unique rulePriority"},
      {policy({rule(1, R"({"tagStatus":"any","storageClass":"archive",)" + count)}), "(matched 0 out of 4)"},
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
  archived.archived_at = kNow - std::chrono::hours(24 * 100);
  auto restored = pushed("restored", {}, 300);
  restored.archived_at = kNow - std::chrono::hours(24 * 50);
  restored.activated_at = kNow - std::chrono::hours(24 * 2);
  const std::vector<LifecycleImage> images{pulled, old, archived, restored};
  const auto by_pull =
      R"({"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":30})";
  EXPECT_THAT(plan({rule(1, by_pull, kArchive)}, images),
              ElementsAre(LifecycleAction{digest_of("old"), Action::kArchive, 1}));
  const auto by_transition =
      R"({"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":90})";
  EXPECT_THAT(plan({rule(1, by_transition)}, images), ElementsAre(expire("archived", 1)));
  const auto exactly =
      R"({"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":100})";
  EXPECT_EQ(plan({rule(1, exactly)}, images).size(), 2U);
}

TEST(LifecyclePlan, LeavesWhatAnIndexHolds) {
  auto held = pushed("child", {}, 100);
  held.parents = {digest_of("index")};
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
      // The one before it is an index that names it.
      if (!images.empty() && pick(9) == 0) image.parents = {images.back().digest};
      images.push_back(std::move(image));
    }
    const auto read =
        parse_lifecycle_policy(policy({rule(1, more_than(1 + pick(5), tagged(R"(["prod"])"))),
                                       rule(2, more_than(1 + pick(5), tagged(R"(["a","b"])"))),
                                       rule(3, more_than(1 + pick(3), R"("tagStatus":"untagged")")),
                                       rule(4, more_than(1 + pick(9), R"("tagStatus":"any")"))}));
    const auto first_fit = [&](const LifecycleImage& image) {
      return std::find_if(read.rules.begin(), read.rules.end(),
                          [&](const auto& each) { return fits(each, image); });
    };
    // The rule in its own words: more images that fit are younger than it keeps.
    const auto surplus = [&](const LifecycleRule& by, const LifecycleImage& image) {
      return std::count_if(images.begin(), images.end(), [&](const auto& each) {
               return fits(by, each) && (each.pushed_at > image.pushed_at ||
                                         (each.pushed_at == image.pushed_at && image.digest < each.digest));
             }) >= by.number;
    };
    const auto actions = plan_lifecycle(read, images, kNow);
    std::set<image::Digest> gone;
    for (const auto& action : actions) {
      ASSERT_TRUE(gone.insert(action.digest).second);
      const auto image = std::find_if(images.begin(), images.end(),
                                      [&](const auto& each) { return each.digest == action.digest; });
      for (const auto& parent : image->parents) ASSERT_TRUE(gone.contains(parent)) << "an index goes first";
      ASSERT_EQ(first_fit(*image)->priority, action.priority);
      ASSERT_TRUE(surplus(*first_fit(*image), *image));
    }
    std::vector<LifecycleImage> left;
    for (auto image : images) {
      if (gone.contains(image.digest)) continue;
      std::erase_if(image.parents, [&](const auto& parent) { return gone.contains(parent); });
      const auto first = first_fit(image);
      if (first != read.rules.end() && image.parents.empty()) ASSERT_FALSE(surplus(*first, image));
      left.push_back(std::move(image));
    }
    ASSERT_THAT(plan_lifecycle(read, left, kNow), IsEmpty());
  }
}

TEST(LifecyclePlan, TakesAnIndexBeforeTheImagesItNames) {
  auto child = pushed("child", {}, 100);
  child.parents = {digest_of("index")};
  auto shared = pushed("shared", {}, 100);
  shared.parents = {digest_of("index"), digest_of("kept")};
  auto inner = pushed("index", {}, 50);
  inner.parents = {digest_of("outer")};
  const std::vector<LifecycleImage> images{child, shared, inner, pushed("outer", {}, 40),
                                           pushed("kept", {"v1"}, 100)};
  const auto untagged =
      R"({"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":1})";
  EXPECT_THAT(plan({rule(1, untagged)}, images),
              ElementsAre(expire("outer", 1), expire("index", 1), expire("child", 1)));
  // An index that is only archived keeps its images.
  const auto action = [](const std::string& name, Action what, int priority) {
    return LifecycleAction{digest_of(name), what, priority};
  };
  auto part = pushed("part", {}, 100);
  part.parents = {digest_of("list")};
  const auto list =
      R"({"tagStatus":"tagged","tagPrefixList":["v"],"countType":"sinceImagePushed","countUnit":"days","countNumber":1})";
  EXPECT_THAT(plan({rule(1, untagged), rule(2, list, kArchive)}, {part, pushed("list", {"v1"}, 100)}),
              ElementsAre(action("list", Action::kArchive, 2)));
  EXPECT_THAT(plan({rule(1, untagged, kArchive), rule(2, list)}, {part, pushed("list", {"v1"}, 100)}),
              ElementsAre(action("list", Action::kExpire, 2), action("part", Action::kArchive, 1)));
}

TEST(LifecyclePlan, OrphansGoADayAfterTheirPushAndCountForNoRule) {
  auto young = pushed("young", {}, 0);
  auto old = pushed("old", {}, 1);
  young.orphan = old.orphan = true;
  EXPECT_THAT(plan({rule(1, more_than(1, R"("tagStatus":"any")"))}, {pushed("image", {}, 5), young, old}),
              ElementsAre(expire("old", LifecycleAction::kOfNoRule)));
}

TEST(LifecyclePlan, AQuestionMarkInAPatternIsNoWildcard) {
  const auto selection =
      R"({"tagStatus":"tagged","tagPatternList":["v?"],"countType":"sinceImagePushed","countUnit":"days","countNumber":1})";
  EXPECT_THAT(plan({rule(1, selection)}, {pushed("A", {"v1"}, 9)}), IsEmpty());
}

TEST(LifecyclePlan, AChainOfAHundredThousandIndexesIsReleasedFromItsHeadDownToTheFirstThatStays) {
  constexpr int kImages = 100'000;
  std::vector<LifecycleImage> images;
  for (int i = 0; i < kImages; ++i) {
    images.push_back(pushed(std::to_string(i), {"v" + std::to_string(i)}, kImages - i));
    if (i > 0) images.back().parents = {images[static_cast<std::size_t>(i) - 1].digest};
  }
  const auto keep_ten = rule(1, more_than(10, R"("tagStatus":"any")"));
  const auto all_but_ten = plan({keep_ten}, images);
  ASSERT_EQ(all_but_ten.size(), kImages - 10U);
  EXPECT_EQ(all_but_ten.front(), expire("0", 1));
  images.front().pushed_at = images.back().pushed_at + std::chrono::hours(1);  // stays, and holds all the others
  EXPECT_THAT(plan({keep_ten}, images), IsEmpty());
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
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("archived"));
  EXPECT_TRUE(world.archived.hides(id, image::Digest::of("1")));
  // Another image that needs the layer brings it into view.
  const auto more = push("1", "v2", R"(,"annotations":{"a":"b"})");
  EXPECT_FALSE(world.archived.hides(id, image::Digest::of("1")));
  world.wait(world.repositories.remove_image(id, more));
  world.wait(
      world.repositories.change_image(id, digest, [&](ImageRow& row) { restore(row, world.clock.now()); }));
  EXPECT_EQ(world.call("GET", "/v2/team/app/manifests/v1").status, 404);
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
  // And nothing that was under way stands in the way of the next one.
  const auto text = policy({rule(1, more_than(2, R"("tagStatus":"any")"))});
  for (int i = 0; i < 1000 && !world.wait(world.lifecycle.start_preview(id, text)); ++i)
    std::this_thread::yield();
  const auto done = [&]() -> io::Awaitable<bool> {
    co_return world.lifecycle.find_preview(id)->status == Preview::Status::kComplete;
  };
  int tries = 0;
  while (!world.wait(done()) && ++tries < 10'000) std::this_thread::yield();
  EXPECT_LT(tries, 10'000);
}

std::string describe(const World& world, const image::Digest& digest) {
  return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","size":)" +
         std::to_string(*world.content.size(digest)) + R"(,"digest":")" + digest.str() + "\"}";
}

TEST_F(LifecycleTest, AnIndexTakesWhatIsNothingWithoutItToTheArchiveAndBack) {
  world.create("team/app");
  const auto child = push("child", "");
  const auto named = push("named", "v9");
  const auto shared = push("shared", "");
  const auto index_of = [&](const std::vector<image::Digest>& parts) {
    std::string text =
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)";
    for (const auto& part : parts) text += (text.back() == '[' ? "" : ",") + describe(world, part);
    return text + "]}";
  };
  const auto multi = index_of({child, named, shared});
  ASSERT_EQ(world.put_manifest("team/app", "multi", multi, image::kOciIndex).status, 201);
  ASSERT_EQ(world.put_manifest("team/app", "other", index_of({shared}), image::kOciIndex).status, 201);
  const auto index = image::Digest::of(multi);
  const auto signature = push("sig", "", R"(,"subject":)" + describe(world, child));
  const auto status = [&](const image::Digest& digest) {
    const auto look = [&]() -> io::Awaitable<ImageStatus> {
      co_return status_of(*world.repositories.find_image(id, digest), world.clock.now());
    };
    return world.wait(look());
  };
  const auto nothing = [](const ImageRow&) {};
  const auto move = [&](Move where) {
    world.wait(move_family(world.repositories, id, index, where, world.clock.now(), nothing));
  };
  move(Move::kToArchive);
  for (const auto& away : {index, child, signature}) EXPECT_EQ(status(away), ImageStatus::kArchived);
  for (const auto& here : {named, shared}) EXPECT_EQ(status(here), ImageStatus::kActive);
  move(Move::kToStandard);
  world.clock.advance(kActivation);
  for (const auto& back : {index, child, signature}) EXPECT_EQ(status(back), ImageStatus::kActive);
  world.wait(move_family(world.repositories, id, child, Move::kToArchive, world.clock.now(), nothing));
  EXPECT_EQ(status(signature), ImageStatus::kArchived);
  EXPECT_EQ(status(index), ImageStatus::kActive);
}

TEST_F(LifecycleTest, AnArchivedImageThatIsPushedAgainIsBackAtOnce) {
  world.create("team/app", "IMMUTABLE");
  const auto manifest = world.make_image("team/app", "1");
  ASSERT_EQ(world.put_manifest("team/app", "v1", manifest).status, 201);
  world.wait(move_family(world.repositories, id, image::Digest::of(manifest), Move::kToArchive,
                         world.clock.now(), [](const ImageRow&) {}));
  EXPECT_EQ(world.call("GET", "/v2/team/app/manifests/v1").status, 404);
  EXPECT_EQ(world.put_manifest("team/app", "v1", manifest).status, 201);
  EXPECT_EQ(world.call("GET", "/v2/team/app/manifests/v1").status, 200);
}

TEST_F(LifecycleTest, ASignatureWhoseSubjectWasDeletedGoesADayLater) {
  world.create("team/app");
  const auto subject = push("1", "v1");
  const auto signature = push("sig", "", R"(,"subject":)" + describe(world, subject));
  put(policy({rule(1, more_than(9, R"("tagStatus":"any")"))}));
  world.wait(world.repositories.remove_image(id, subject));
  EXPECT_EQ(evaluate(), 0U);
  world.clock.advance(kOrphanLife);
  EXPECT_EQ(evaluate(), 1U);
  EXPECT_FALSE(there(signature));
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
