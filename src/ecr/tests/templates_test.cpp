// Repository creation templates: which one is meant, what it makes, and the operations on them.
#include <gmock/gmock.h>

#include "ecr/tests/world.h"

namespace sampan::ecr {
namespace {

namespace api = sampan::api::ecr;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TemplatePrefixes, GoFromTheClosestToRoot) {
  EXPECT_THAT(template_prefixes("team/app/api"), ElementsAre("team/app", "team", "ROOT"));
  EXPECT_THAT(template_prefixes("team/app"), ElementsAre("team", "ROOT"));
  EXPECT_THAT(template_prefixes("app"), ElementsAre("ROOT"));
}

TEST(TemplatePrefixes, ForgetTheSlashAtTheEnd) {
  EXPECT_EQ(normal_prefix("team/"), "team");
  EXPECT_EQ(normal_prefix("team/app"), "team/app");
}

Template of(const std::string& prefix, std::vector<std::string> causes) {
  Template made;
  made.prefix = prefix;
  made.appliedFor = std::move(causes);
  return made;
}

TEST(CheckTemplate, KnowsWhatIsWrong) {
  const std::string account = "000000000000";
  EXPECT_EQ(check_template(of("a", {"REPLICATION"}), account), std::nullopt);
  EXPECT_THAT(*check_template(of("a", {}), account), HasSubstr("appliedFor"));
  auto made = of("a", {"REPLICATION"});
  made.imageTagMutability = "IMMUTABLE_WITH_EXCLUSION";
  EXPECT_THAT(*check_template(made, account), HasSubstr("imageTagMutabilityExclusionFilters"));
  made = of("a", {"REPLICATION"});
  made.encryptionConfiguration.emplace().encryptionType = "AES256";
  made.encryptionConfiguration->kmsKey = "arn:aws:kms:us-east-1:000000000000:key/a";
  EXPECT_THAT(*check_template(made, account), HasSubstr("kmsKey can only be specified"));
  for (const auto* role :
       {"nonsense", "arn:aws:iam::111111111111:role/x", "arn:aws:iam::000000000000:user/x"}) {
    made = of("a", {"REPLICATION"});
    made.customRoleArn = role;
    EXPECT_THAT(*check_template(made, account), HasSubstr("customRoleArn")) << role;
  }
  made.customRoleArn = "arn:aws:iam::000000000000:role/x";
  EXPECT_EQ(check_template(made, account), std::nullopt);
}

TEST(UpdateTemplate, LeavesWhatIsNotNamedAndDropsFiltersWithTheirMutability) {
  auto had = of("a", {"REPLICATION"});
  had.description = "words";
  had.imageTagMutability = "MUTABLE_WITH_EXCLUSION";
  had.imageTagMutabilityExclusionFilters.emplace().emplace_back().filter = "v*";
  had.lifecyclePolicy = "{}";
  api::UpdateRepositoryCreationTemplateRequest change;
  change.prefix = "a";
  EXPECT_EQ(update_template(had, change), had);
  change.imageTagMutability = "IMMUTABLE";
  change.lifecyclePolicy = "";
  const auto changed = update_template(had, change);
  EXPECT_EQ(changed.imageTagMutabilityExclusionFilters, std::nullopt);
  EXPECT_EQ(changed.lifecyclePolicy, std::nullopt);
  EXPECT_EQ(changed.description, "words");
}

struct Templates : ::testing::Test {
  void add(Template made) {
    world.wait(world.templates.create("000000000000", "us-east-1", std::move(made)));
  }
  std::string prefix_for(const std::string& name, Cause cause) {
    const auto found = world.templates.match(World::id(name), cause);
    return found ? *found->prefix : "none";
  }
  World world;
};

TEST_F(Templates, TheLongestPrefixForTheCauseWinsAndRootComesLast) {
  add(of("ROOT", {"CREATE_ON_PUSH"}));
  add(of("team", {"CREATE_ON_PUSH", "REPLICATION"}));
  add(of("team/app/", {"REPLICATION"}));
  EXPECT_EQ(prefix_for("team/app/api", Cause::kReplication), "team/app/");
  EXPECT_EQ(prefix_for("team/app/api", Cause::kCreateOnPush), "team");
  EXPECT_EQ(prefix_for("team/app", Cause::kReplication), "team");
  EXPECT_EQ(prefix_for("team", Cause::kCreateOnPush), "ROOT");
  EXPECT_EQ(prefix_for("teammate/app", Cause::kCreateOnPush), "ROOT");
  EXPECT_EQ(prefix_for("teammate/app", Cause::kReplication), "none");
  EXPECT_EQ(prefix_for("team/x", Cause::kPullThroughCache), "none");
  // Another region's registry has templates of its own.
  EXPECT_FALSE(world.templates.match({"000000000000", "eu-west-1", "team/x"}, Cause::kReplication));
}

TEST_F(Templates, ThereIsALimit) {
  for (std::size_t i = 0; i < kMostTemplates; ++i) add(of("p" + std::to_string(i), {"REPLICATION"}));
  EXPECT_THROW(add(of("more", {"REPLICATION"})), api::LimitExceededException);
  EXPECT_THROW(add(of("p1/", {"REPLICATION"})), api::TemplateAlreadyExistsException);
}

TEST_F(Templates, APushMakesTheRepositoryAsTheTemplateSays) {
  auto made = of("team", {"CREATE_ON_PUSH"});
  made.imageTagMutability = "IMMUTABLE";
  made.encryptionConfiguration.emplace().encryptionType = "KMS";
  made.encryptionConfiguration->kmsKey = "arn:aws:kms:us-east-1:000000000000:key/a";
  auto& tag = made.resourceTags.emplace().emplace_back();
  tag.Key = "owner";
  tag.Value = "shop";
  made.lifecyclePolicy = "{\"rules\":[]}";
  std::string told;
  world.templates.own_lifecycle_policies({nullptr, [&](store::Txn&, const RepositoryId& id,
                                                       const std::string& text) { told = id.name + text; }});
  add(made);
  const auto refused = world.call("POST", "/v2/other/app/blobs/uploads/");
  EXPECT_EQ(refused.status, 404);
  EXPECT_THAT(refused.body, HasSubstr("NAME_UNKNOWN"));
  EXPECT_THAT(refused.body,
              HasSubstr("The repository with name 'other/app' does not exist in the registry with id "
                        "'000000000000'"));
  EXPECT_EQ(world.call("HEAD", "/v2/team/app/blobs/" + image::Digest::of("x").str()).status, 404);
  EXPECT_EQ(world.repositories.find(World::id("team/app")), nullptr);  // asking makes nothing
  EXPECT_EQ(world.call("POST", "/v2/team/app/blobs/uploads/").status, 202);
  const auto* row = world.repositories.find(World::id("team/app"));
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->mutability, "IMMUTABLE");
  EXPECT_EQ(row->encryption_type, "KMS");
  EXPECT_EQ(row->tags.at("owner"), "shop");
  EXPECT_EQ(told, "team/app{\"rules\":[]}");
}

TEST_F(Templates, ManyPushesAtOnceMakeOneRepository) {
  add(of("ROOT", {"CREATE_ON_PUSH"}));
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      if (world.call("POST", "/v2/many/blobs/uploads/").status == 202) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
  EXPECT_NE(world.repositories.find(World::id("many")), nullptr);
}

TEST_F(Templates, TheCheckOfAPolicyRefusesTheTemplate) {
  world.templates.own_repository_policies(
      {[](const std::string& text) { return std::optional<std::string>("bad: " + text); }, nullptr});
  auto made = of("team", {"CREATE_ON_PUSH"});
  made.repositoryPolicy = "nonsense";
  EXPECT_THROW(add(made), api::InvalidParameterException);
}

struct Referrers : ::testing::Test {
  std::string attach(const std::string& subject, const std::string& seed, const std::string& type) {
    const auto more = R"(,"artifactType":")" + type + R"(","subject":)" +
                      World::descriptor(subject, image::kOciManifest) + R"(,"annotations":{"n":")" + seed +
                      "\"}";
    const auto manifest = world.make_image("app", seed, more);
    EXPECT_EQ(world.put_manifest("app", image::Digest::of(manifest).str(), manifest).status, 201);
    return image::Digest::of(manifest).str();
  }
  api::ListImageReferrersOutput list(api::ListImageReferrersInput in) {
    const auto call = world.caller();
    return world.wait(world.api->ListImageReferrers(call, std::move(in)));
  }
  World world;
};

TEST_F(Referrers, AreFilteredAndPaged) {
  world.create("app");
  const auto image = world.make_image("app", "image");
  world.put_manifest("app", "1", image);
  std::set<std::string> signatures;
  for (int i = 0; i < 5; ++i) signatures.insert(attach(image, "s" + std::to_string(i), "application/sig"));
  const auto sbom = attach(image, "b", "application/spdx+json");
  api::ListImageReferrersInput in;
  in.repositoryName = "app";
  in.subjectId.imageDigest = image::Digest::of(image).str();
  EXPECT_EQ(list(in).referrers->size(), 6u);
  in.filter.emplace().artifactTypes = {"application/spdx+json"};
  const auto found = list(in);
  ASSERT_EQ(found.referrers->size(), 1u);
  const auto& one = found.referrers->front();
  EXPECT_EQ(one.digest, sbom);
  EXPECT_EQ(one.mediaType, image::kOciManifest);
  EXPECT_EQ(one.artifactType, "application/spdx+json");
  EXPECT_EQ(one.annotations->at("n"), "b");
  EXPECT_EQ(one.artifactStatus, "ACTIVE");
  EXPECT_GT(one.size, 100);
  in.filter->artifactTypes = {"application/sig"};
  in.maxResults = 2;
  std::set<std::string> seen;
  int pages = 0;
  do {
    const auto page = list(in);
    for (const auto& referrer : *page.referrers) seen.insert(referrer.digest);
    in.nextToken = page.nextToken;
    ++pages;
  } while (in.nextToken);
  EXPECT_EQ(seen, signatures);
  EXPECT_EQ(pages, 3);
  in = {};
  in.repositoryName = "app";
  in.subjectId.imageDigest = image::Digest::of("never").str();
  EXPECT_EQ(list(in).referrers->size(), 0u);
  in.subjectId.imageDigest = "nonsense";
  EXPECT_THROW(list(in), api::InvalidParameterException);
}

}  // namespace
}  // namespace sampan::ecr
