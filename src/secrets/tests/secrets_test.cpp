// Secrets: values at rest, versions and their labels, deletion, idempotency.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <fstream>
#include <thread>

#include "io/file.h"
#include "secrets/list_filter.h"
#include "secrets/password.h"
#include "secrets/seal.h"
#include "secrets/secrets_api.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace sampan::secrets {
namespace {

namespace model = api::secretsmanager;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kToken1[] = "11111111-1111-1111-1111-111111111111";
constexpr char kToken2[] = "22222222-2222-2222-2222-222222222222";

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A vault over a database on the disk, as a daemon has it; restart() is the next life.
class SecretsTest : public testing::Test {
 protected:
  SecretsTest() : thread([this] { executors.run(); }) { start(); }
  ~SecretsTest() override {
    stop();
    executors.stop();
    thread.join();
    executors.blocking().stop();
    executors.blocking().join();
  }
  template <class T>
  T wait(io::Awaitable<T> work) {
    return boost::asio::co_spawn(executors.control(), std::move(work), boost::asio::use_future).get();
  }
  void start() {
    on_control([this] {
      store = store::open_sqlite_store(scratch.path() / "state.db", executors.control());
      vault.emplace(executors, *store, clock, ids, scratch.path());
      api.emplace(*vault, clock, ids);
    });
  }
  void stop() {
    on_control([this] {
      api.reset();
      vault.reset();
      store.reset();
    });
  }
  void on_control(std::function<void()> work) {
    boost::asio::co_spawn(executors.control(), io::on_control(executors, std::move(work)),
                          boost::asio::use_future)
        .get();
  }
  aws::Call call() const {
    aws::Call call;
    call.account = "000000000000";
    call.region = "us-east-1";
    call.now = clock.now();
    return call;
  }
  std::string create(const std::string& name, const std::string& value, const std::string& token = kToken1) {
    model::CreateSecretInput in;
    in.Name = name;
    in.SecretString = value;
    in.ClientRequestToken = token;
    return *wait(api->CreateSecret(call(), in)).ARN;
  }
  std::string put(const std::string& id, const std::string& value, std::optional<std::string> token = {},
                  std::optional<std::vector<std::string>> stages = {}) {
    model::PutSecretValueInput in;
    in.SecretId = id;
    in.SecretString = value;
    in.ClientRequestToken = token;
    in.VersionStages = stages;
    return *wait(api->PutSecretValue(call(), in)).VersionId;
  }
  model::GetSecretValueOutput get(const std::string& id, const std::string& stage = {},
                                  const std::string& version = {}) {
    model::GetSecretValueInput in;
    in.SecretId = id;
    if (!stage.empty()) in.VersionStage = stage;
    if (!version.empty()) in.VersionId = version;
    return wait(api->GetSecretValue(call(), in));
  }
  void remove(const std::string& id, bool force, std::optional<std::int64_t> days = {}) {
    model::DeleteSecretInput in;
    in.SecretId = id;
    if (force) in.ForceDeleteWithoutRecovery = true;
    in.RecoveryWindowInDays = days;
    wait(api->DeleteSecret(call(), in));
  }
  template <class F>
  static std::string message_of(F work) {
    try {
      work();
    } catch (const aws::Fault& fault) {
      return fault.code() + ": " + fault.what();
    }
    return "no fault";
  }

  io::TemporaryDirectory scratch;
  io::Executors executors;
  core::ManualClock clock{core::TimePoint(core::Millis(1'800'000'000'000))};
  core::SystemIdSource ids;
  std::unique_ptr<store::Store> store;
  std::optional<Vault> vault;
  std::optional<SecretsApi> api;
  std::thread thread;
};

TEST(Seal, OpensOnlyWithItsKeyAtItsPlaceUnchanged) {
  const std::string key(32, 'k'), other(32, 'o');
  const auto sealed = seal(key, "hello", "place");
  EXPECT_EQ(unseal(key, sealed, "place"), "hello");
  EXPECT_EQ(sealed.find("hello"), std::string::npos);
  EXPECT_NE(sealed, seal(key, "hello", "place"));
  EXPECT_FALSE(unseal(other, sealed, "place"));
  EXPECT_FALSE(unseal(key, sealed, "elsewhere"));
  EXPECT_FALSE(unseal(key, sealed.substr(0, 27), "place"));
  EXPECT_FALSE(unseal(key, "", "place"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] ^= 1;
    EXPECT_FALSE(unseal(key, changed, "place")) << i;
  }
  EXPECT_EQ(unseal(key, seal(key, "", ""), ""), "");
}

TEST(Password, HoldsWhatItIsToldAndNothingElse) {
  core::SeededIdSource random(5);
  std::string problem;
  const auto plain = make_password({}, random, problem);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->size(), 32u);
  PasswordWish wish{.length = 4, .excluded = "abc"};
  for (int i = 0; i < 200; ++i) {
    const auto password = *make_password(wish, random, problem);
    EXPECT_EQ(password.size(), 4u);
    EXPECT_EQ(password.find_first_of("abc"), std::string::npos);
    EXPECT_NE(password.find_first_of("0123456789"), std::string::npos);
  }
  wish.length = 3;
  EXPECT_FALSE(make_password(wish, random, problem));
  wish.each_kind = false;
  EXPECT_TRUE(make_password(wish, random, problem));
  EXPECT_FALSE(make_password(
      {.length = 8, .numbers = false, .punctuation = false, .uppercase = false, .lowercase = false}, random,
      problem));
}

TEST(Stages, CurrentBecomesPrevious) {
  SecretRow secret;
  for (const auto* id : {"a", "b", "c"}) secret.versions[id];
  give_stage(secret, "a", kCurrent);
  give_stage(secret, "b", kCurrent);
  EXPECT_EQ(version_with(secret, kPrevious), "a");
  give_stage(secret, "c", kCurrent);
  EXPECT_EQ(version_with(secret, kPrevious), "b");
  EXPECT_TRUE(secret.versions["a"].stages.empty());
  give_stage(secret, "b", kCurrent);  // back again
  EXPECT_EQ(version_with(secret, kPrevious), "c");
  EXPECT_THAT(secret.versions["b"].stages, ElementsAre(kCurrent));
  give_stage(secret, "b", kCurrent);
  EXPECT_EQ(version_with(secret, kPrevious), "c");
}

TEST(ListFilter, MatchesPrefixesOfWhatItNames) {
  SecretRow secret;
  secret.name = "prod/Db";
  secret.description = "The main Database";
  secret.tags = {{"Team", "shop"}};
  const auto one = [&](const std::string& key, std::vector<std::string> values) {
    model::Filter filter;
    filter.Key = key;
    filter.Values = std::move(values);
    return matches(secret, "us-east-1", {filter});
  };
  EXPECT_TRUE(one("name", {"prod/"}));
  EXPECT_FALSE(one("name", {"PROD"}));
  EXPECT_TRUE(one("name", {"test", "prod"}));
  EXPECT_FALSE(one("name", {"!prod"}));
  EXPECT_TRUE(one("description", {"data"}));
  EXPECT_FALSE(one("description", {"base"}));
  EXPECT_TRUE(one("tag-key", {"Te"}));
  EXPECT_FALSE(one("tag-value", {"Shop"}));
  EXPECT_TRUE(one("all", {"SHOP"}));
  EXPECT_FALSE(one("owning-service", {"rds"}));
}

TEST_F(SecretsTest, KeepsValuesOverARestartAndNoPlainTextOnTheDisk) {
  const std::string secret = "correct horse battery staple";
  const auto arn = create("team/db", secret);
  EXPECT_THAT(arn,
              testing::MatchesRegex("arn:aws:secretsmanager:us-east-1:000000000000:secret:team/db-......"));
  put("team/db", secret + " two");
  stop();
  start();
  EXPECT_EQ(*get("team/db").SecretString, secret + " two");
  EXPECT_EQ(*get(arn, kPrevious).SecretString, secret);
  EXPECT_EQ(*get(arn.substr(0, arn.size() - 7)).SecretString, secret + " two");
  EXPECT_EQ(vault->find({"000000000000", "us-east-1"}, arn)->value.bytes, secret + " two");
  stop();
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const auto bytes = bytes_of(entry.path());
    EXPECT_EQ(bytes.find("correct horse"), std::string::npos) << entry.path();
    EXPECT_EQ(bytes.find("Y29ycmVjdCBob3Jz"), std::string::npos) << entry.path();  // the same in base64
  }
  EXPECT_GE(files, 2);
  EXPECT_EQ(std::filesystem::status(scratch.path() / "secrets.key").permissions(),
            std::filesystem::perms(0600));
  start();
}

TEST_F(SecretsTest, WithoutItsKeyItSaysSoAndDropsNothing) {
  create("db", "value");
  const auto file = scratch.path() / "secrets.key";
  const auto kept = bytes_of(file);
  stop();
  std::filesystem::remove(file);
  start();
  EXPECT_THAT(message_of([&] { get("db"); }),
              HasSubstr("DecryptionFailure: the key file " + file.string() + " is gone"));
  EXPECT_THAT(message_of([&] { put("db", "new"); }), HasSubstr("EncryptionFailure"));
  EXPECT_FALSE(std::filesystem::exists(file));
  stop();
  io::replace_file(file, std::string(64, 'a'), io::Durability::kProcessCrash, 0600);
  start();
  EXPECT_THAT(message_of([&] { get("db"); }), HasSubstr("was encrypted with key"));
  stop();
  io::replace_file(file, kept, io::Durability::kProcessCrash, 0644);
  start();
  EXPECT_EQ(*get("db").SecretString, "value");
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
}

TEST_F(SecretsTest, TheSameRequestTwiceIsOne) {
  const auto arn = create("db", "value");
  EXPECT_EQ(create("db", "value"), arn);
  EXPECT_EQ(message_of([&] { create("db", "other"); }),
            "ResourceExistsException: The operation failed because the secret db already exists.");
  EXPECT_THAT(message_of([&] { create("db", "value", kToken2); }), HasSubstr("ResourceExistsException"));
  EXPECT_EQ(put("db", "second", kToken2), kToken2);
  EXPECT_EQ(put("db", "second", kToken2), kToken2);
  EXPECT_EQ(message_of([&] { put("db", "third", kToken2); }),
            "ResourceExistsException: You can't use ClientRequestToken " + std::string(kToken2) +
                " because that value is already in use for a version of secret " + arn + ".");
  EXPECT_EQ(*get("db").SecretString, "second");
  EXPECT_EQ(*get("db", {}, kToken1).SecretString, "value");
  EXPECT_THAT(message_of([&] { get("db", kCurrent, kToken1); }), HasSubstr("not associated"));
  EXPECT_EQ(message_of([&] { get("db", "NOPE"); }),
            "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging "
            "label: NOPE");
  EXPECT_EQ(message_of([&] { get("absent"); }),
            "ResourceNotFoundException: Secrets Manager can't find the specified secret.");
}

TEST_F(SecretsTest, APendingVersionIsNotCurrent) {
  create("db", "one");
  put("db", "two", kToken2, std::vector<std::string>{"AWSPENDING"});
  EXPECT_EQ(*get("db").SecretString, "one");
  EXPECT_EQ(*get("db", "AWSPENDING").SecretString, "two");
  model::UpdateSecretVersionStageInput move;
  move.SecretId = "db";
  move.VersionStage = kCurrent;
  move.MoveToVersionId = kToken2;
  EXPECT_THAT(
      message_of([&] { wait(api->UpdateSecretVersionStage(call(), move)); }),
      HasSubstr("The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently "
                "attached to version " +
                std::string(kToken1)));
  move.RemoveFromVersionId = kToken1;
  wait(api->UpdateSecretVersionStage(call(), move));
  EXPECT_EQ(*get("db").SecretString, "two");
  EXPECT_EQ(*get("db", kPrevious).SecretString, "one");
  move.RemoveFromVersionId = kToken2;
  move.MoveToVersionId.reset();
  EXPECT_THAT(message_of([&] { wait(api->UpdateSecretVersionStage(call(), move)); }),
              HasSubstr("can only move"));
}

TEST_F(SecretsTest, GoesAfterItsWindowAndComesBackBefore) {
  create("db", "value");
  EXPECT_THAT(message_of([&] { remove("db", false, 6); }), HasSubstr("between 7 and 30 days"));
  EXPECT_THAT(message_of([&] { remove("db", true, 7); }), HasSubstr("in conjunction"));
  remove("db", false, 7);
  EXPECT_EQ(
      message_of([&] { get("db"); }),
      "InvalidRequestException: You can't perform this operation on the secret because it was marked for "
      "deletion.");
  EXPECT_THAT(message_of([&] { put("db", "x"); }), HasSubstr("marked for deletion"));
  EXPECT_THAT(message_of([&] { create("db", "x", kToken2); }), HasSubstr("already scheduled for deletion"));
  EXPECT_THAT(message_of([&] { remove("db", false); }), HasSubstr("already scheduled for deletion"));
  EXPECT_FALSE(vault->find({"000000000000", "us-east-1"}, "db"));
  model::RestoreSecretInput restore;
  restore.SecretId = "db";
  wait(api->RestoreSecret(call(), restore));
  EXPECT_EQ(*get("db").SecretString, "value");
  remove("db", false, 7);
  clock.advance(std::chrono::hours(24 * 7 - 1));
  wait(vault->delete_due());
  EXPECT_EQ(store->range("/secrets/").size(), 2u);
  clock.advance(std::chrono::hours(1));
  wait(vault->delete_due());
  EXPECT_EQ(store->range("/secrets/").size(), 0u);
  EXPECT_THAT(message_of([&] { wait(api->RestoreSecret(call(), restore)); }), HasSubstr("ResourceNotFound"));
  const auto again = create("db", "new");
  remove(again, true);
  EXPECT_EQ(store->range("/secrets/").size(), 0u);
  remove("db", true);  // what is gone already is gone
}

TEST_F(SecretsTest, TakesExactlyTheLargestValue) {
  create("big", std::string(kLargestValue, 'x'));
  EXPECT_EQ(get("big").SecretString->size(), kLargestValue);
  EXPECT_THAT(message_of([&] { create("bigger", std::string(kLargestValue + 1, 'x')); }), HasSubstr("65536"));
  model::CreateSecretInput both;
  both.Name = "both";
  both.SecretString = "a";
  both.SecretBinary = "b";
  EXPECT_THAT(message_of([&] { wait(api->CreateSecret(call(), both)); }), HasSubstr("can't specify both"));
  both.SecretString.reset();
  both.SecretBinary = std::string("\0\xff\1", 3);
  wait(api->CreateSecret(call(), both));
  EXPECT_EQ(*get("both").SecretBinary, std::string("\0\xff\1", 3));
  EXPECT_FALSE(get("both").SecretString);
  EXPECT_THAT(message_of([&] { create("bad name", "x"); }), HasSubstr("Invalid name"));
  const std::string longest(512, 'n');
  create(longest, "value");
  EXPECT_EQ(*get(longest).SecretString, "value");
}

TEST_F(SecretsTest, ForgetsUnlabelledVersionsBeyondAHundred) {
  create("db", "v");
  for (int i = 0; i < 110; ++i) put("db", "v" + std::to_string(i));
  model::ListSecretVersionIdsInput in;
  in.SecretId = "db";
  in.IncludeDeprecated = true;
  EXPECT_EQ(wait(api->ListSecretVersionIds(call(), in)).Versions->size(), 100u);
  EXPECT_EQ(store->range("/secrets/values/").size(), 100u);
  in.IncludeDeprecated = false;
  EXPECT_EQ(wait(api->ListSecretVersionIds(call(), in)).Versions->size(), 2u);
  EXPECT_EQ(*get("db").SecretString, "v109");
}

TEST_F(SecretsTest, ListsInOrderByPages) {
  for (const auto* name : {"b", "a", "c"}) {
    create(name, "v");
    clock.advance(std::chrono::seconds(1));
  }
  const auto names = [&](model::ListSecretsInput in) {
    std::vector<std::string> found;
    do {
      auto page = wait(api->ListSecrets(call(), in));
      for (const auto& secret : *page.SecretList) found.push_back(*secret.Name);
      in.NextToken = page.NextToken;
    } while (in.NextToken);
    return found;
  };
  model::ListSecretsInput in;
  in.MaxResults = 1;
  EXPECT_THAT(names(in), ElementsAre("c", "a", "b"));
  in.SortOrder = "asc";
  EXPECT_THAT(names(in), ElementsAre("b", "a", "c"));
  in.SortBy = "name";
  EXPECT_THAT(names(in), ElementsAre("a", "b", "c"));
  remove("b", false);
  EXPECT_THAT(names(in), ElementsAre("a", "c"));
  in.IncludePlannedDeletion = true;
  EXPECT_THAT(names(in), ElementsAre("a", "b", "c"));
  in.NextToken = "nonsense";
  EXPECT_THAT(message_of([&] { names(in); }), HasSubstr("InvalidNextToken"));
}

}  // namespace
}  // namespace sampan::secrets
