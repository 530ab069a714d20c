// What the directory tells those who ask: keys that sign, and what their owners may.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>

#include "api/iam.h"
#include "iam/authorizer.h"
#include "iam/directory.h"
#include "store/memory_store.h"

namespace sampan::iam {
namespace {

using testing::HasSubstr;

constexpr char kAccount[] = "000000000000";
constexpr char kAllowAll[] =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})";
constexpr char kAllowList[] =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:ListImages","Resource":"*"}]})";

class DirectoryTest : public testing::Test {
 protected:
  void run(boost::asio::awaitable<void> work) {
    std::exception_ptr failure;
    boost::asio::co_spawn(executors.control(), std::move(work),
                          [&](std::exception_ptr error) { failure = error; });
    executors.net().restart();
    executors.net().run();
    if (failure) std::rethrow_exception(failure);
  }
  void add_user(const std::string& name, const std::string& key) {
    run(directory.create(EntityKind::kUser, kAccount, {.name = name, .id = "AIDA" + name}));
    run(directory.add_key({{key, "secret"}, kAccount, name, true, {}}));
  }
  bool may(const std::string& key, std::string action, std::string account = "") {
    const auto identity = keys.lookup(key);
    if (!identity) return false;
    return !authorizer.refusal(*identity, {{.action = std::move(action), .account = std::move(account)}}, {});
  }

  io::Executors executors{1, 1};
  core::ManualClock clock{core::TimePoint(std::chrono::seconds(1767322800))};
  core::SeededIdSource ids{4};
  std::unique_ptr<store::Store> store = store::make_memory_store(executors.control());
  Keys keys{Mode::kVerified, kAccount, {"AKIAROOT", "secret"}};
  GrantBook grants;
  Directory directory{*store, keys, grants};
  Authorizer authorizer{grants};
};

TEST_F(DirectoryTest, RootPassesAndStaysInItsAccount) {
  EXPECT_TRUE(may("AKIAROOT", "ecr:DeleteRepository"));
  EXPECT_FALSE(may("AKIAROOT", "ecr:DeleteRepository", "111122223333"));
}

TEST_F(DirectoryTest, PoliciesOfUserGroupAndManagedPolicyReachItsKey) {
  add_user("ana", "AKIAANA");
  EXPECT_FALSE(may("AKIAANA", "ecr:ListImages"));
  run(directory.update(EntityKind::kUser, kAccount, "ANA",
                       [](Entity& user) { user.policies["p"] = kAllowList; }));
  EXPECT_TRUE(may("AKIAANA", "ecr:ListImages"));
  EXPECT_FALSE(may("AKIAANA", "ecr:PutImage"));

  run(directory.create(EntityKind::kGroup, kAccount, {.name = "g"}));
  run(directory.update(EntityKind::kUser, kAccount, "ana", [](Entity& user) { user.groups = {"g"}; }));
  run(directory.update(EntityKind::kGroup, kAccount, "g",
                       [](Entity& group) { group.policies["all"] = kAllowAll; }));
  EXPECT_TRUE(may("AKIAANA", "ecr:PutImage"));
  run(directory.update(EntityKind::kGroup, kAccount, "g", [](Entity& group) { group.policies.clear(); }));
  EXPECT_FALSE(may("AKIAANA", "ecr:PutImage"));

  ManagedPolicy policy{.name = "m", .versions = {{"v1", kAllowAll, {}}}, .default_version = "v1"};
  const auto arn = policy_arn(kAccount, policy);
  run(directory.create_policy(kAccount, policy));
  run(directory.update(EntityKind::kGroup, kAccount, "g", [&](Entity& group) { group.attached = {arn}; }));
  EXPECT_TRUE(may("AKIAANA", "ecr:PutImage"));
  EXPECT_EQ(directory.attachments(kAccount, arn), 1);
  EXPECT_THROW(run(directory.remove_policy(kAccount, arn)), api::iam::DeleteConflictException);
  run(directory.update_policy(kAccount, arn, [](ManagedPolicy& changed) {
    changed.versions.push_back({"v2", kAllowList, {}});
    changed.default_version = "v2";
  }));
  EXPECT_FALSE(may("AKIAANA", "ecr:PutImage"));
}

TEST_F(DirectoryTest, AKeySignsWhileItIsActive) {
  add_user("bo", "AKIABO");
  EXPECT_TRUE(keys.lookup("AKIABO"));
  run(directory.set_key_active(kAccount, "bo", "AKIABO", false));
  EXPECT_FALSE(keys.lookup("AKIABO"));
  run(directory.set_key_active(kAccount, "bo", "AKIABO", true));
  EXPECT_TRUE(keys.lookup("AKIABO"));
  EXPECT_THROW(run(directory.remove_key(kAccount, "ana", "AKIABO")), api::iam::NoSuchEntityException);
  run(directory.remove_key(kAccount, "bo", "AKIABO"));
  EXPECT_FALSE(keys.lookup("AKIABO"));
}

TEST_F(DirectoryTest, ANewDaemonKnowsWhatTheOldOneDid) {
  add_user("cy", "AKIACY");
  run(directory.update(EntityKind::kUser, kAccount, "cy",
                       [](Entity& user) { user.policies["p"] = kAllowList; }));
  Keys restarted{Mode::kVerified, kAccount, {"AKIAROOT", "secret"}};
  GrantBook book;
  const Directory again(*store, restarted, book);
  const auto identity = restarted.lookup("AKIACY");
  ASSERT_TRUE(identity);
  const Authorizer asked(book);
  EXPECT_FALSE(asked.refusal(*identity, {{.action = "ecr:ListImages"}}, {}));
  EXPECT_THAT(*asked.refusal(*identity, {{.action = "ecr:PutImage"}}, {}),
              HasSubstr("user/cy is not authorized"));
}

TEST_F(DirectoryTest, ARolesSessionIsHeldOnceTheRoleIsMadeAndMayNothingAfterIt) {
  Sessions sessions(*store, keys, grants, clock, ids);
  const auto session_of = [&](std::string role_id) {
    std::string key;
    run([&](std::string id) -> boost::asio::awaitable<void> {
      const auto session =
          co_await sessions.issue({.account = kAccount,
                                   .principal_arn = "arn:aws:sts::000000000000:assumed-role/ci/s",
                                   .role_id = std::move(id)},
                                  std::chrono::hours(1));
      key = session.key.id;
    }(std::move(role_id)));
    return key;
  };
  const auto before = session_of("");
  EXPECT_TRUE(may(before, "ecr:PutImage"));
  run(directory.create(EntityKind::kRole, kAccount,
                       {.name = "ci", .id = "AROA1", .policies = {{"p", kAllowList}}}));
  EXPECT_FALSE(may(before, "ecr:PutImage"));
  const auto during = session_of("AROA1");
  EXPECT_TRUE(may(during, "ecr:ListImages"));
  EXPECT_FALSE(may(during, "ecr:PutImage"));
  run(directory.update(EntityKind::kRole, kAccount, "ci", [](Entity& role) { role.policies.clear(); }));
  run(directory.remove(EntityKind::kRole, kAccount, "ci"));
  EXPECT_FALSE(may(during, "ecr:ListImages"));
  run(directory.create(EntityKind::kRole, kAccount,
                       {.name = "ci", .id = "AROA2", .policies = {{"p", kAllowAll}}}));
  EXPECT_FALSE(may(during, "ecr:ListImages"));
}

TEST_F(DirectoryTest, NothingGoesWhileSomethingHangsOnIt) {
  add_user("dee", "AKIADEE");
  EXPECT_THROW(run(directory.remove(EntityKind::kUser, kAccount, "dee")), api::iam::DeleteConflictException);
  EXPECT_THROW(run(directory.create(EntityKind::kUser, kAccount, {.name = "DEE"})),
               api::iam::EntityAlreadyExistsException);
  EXPECT_THROW(run(directory.remove(EntityKind::kUser, kAccount, "nobody")), api::iam::NoSuchEntityException);
}

TEST_F(DirectoryTest, OpenModesStrangersMayEverythingButAccountsStayThemselves) {
  Keys open{Mode::kOpen, kAccount, {"AKIAROOT", "secret"}};
  EXPECT_FALSE(authorizer.refusal(*open.lookup("test"), {{.action = "ecr:PutImage", .account = "1"}}, {}));
  EXPECT_TRUE(authorizer.refusal(*open.lookup("111122223333"),
                                 {{.action = "ecr:PutImage", .account = kAccount}}, {}));
  EXPECT_FALSE(authorizer.refusal(*open.lookup("111122223333"), {{.action = "ecr:PutImage"}}, {}));
}

TEST(IamRows, RoundTrip) {
  const Entity entity{"n",          "/p/",   "AIDA",       core::TimePoint(core::Millis(5)),
                      {{"a", "b"}}, {"arn"}, {{"k", "v"}}, {"g"},
                      "trust",      "d",     7200};
  EXPECT_EQ(store::RowCodec<Entity>::decode(store::RowCodec<Entity>::encode(entity)), entity);
  const ManagedPolicy policy{"n",
                             "/",
                             "ANPA",
                             "d",
                             core::TimePoint(core::Millis(5)),
                             core::TimePoint(core::Millis(6)),
                             {{"v1", "text", core::TimePoint(core::Millis(7))}},
                             "v1",
                             3,
                             {{"k", "v"}}};
  EXPECT_EQ(store::RowCodec<ManagedPolicy>::decode(store::RowCodec<ManagedPolicy>::encode(policy)), policy);
}

TEST(MergeDocuments, KeepsAllStatements) {
  EXPECT_EQ(parse_policy(merge_documents({kAllowAll, kAllowList}), PolicyKind::kIdentity).statements.size(),
            2u);
}

}  // namespace
}  // namespace sampan::iam
