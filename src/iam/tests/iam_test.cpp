#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "aws/dispatcher.h"
#include "core/error.h"
#include "iam/credentials.h"
#include "iam/root_key.h"
#include "iam/sts_api.h"
#include "io/file.h"
#include "store/memory_store.h"

namespace sampan::iam {
namespace {

using testing::HasSubstr;
namespace sts = api::sts;

TEST(RootKey, IsMadeOnceAndKept) {
  const io::TemporaryDirectory directory;
  core::SystemIdSource ids;
  const auto made = load_or_make_root_key(directory.path(), ids);
  EXPECT_EQ(made.id.size(), 20u);
  EXPECT_TRUE(made.id.starts_with("AKIA"));
  EXPECT_EQ(made.secret.size(), 40u);
  const auto path = directory.path() / "credentials";
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  const auto again = load_or_make_root_key(directory.path(), ids);
  EXPECT_EQ(again.id, made.id);
  EXPECT_EQ(again.secret, made.secret);
}

TEST(RootKey, AFileWithoutAKeyIsNotReplaced) {
  const io::TemporaryDirectory directory;
  core::SystemIdSource ids;
  io::replace_file(directory.path() / "credentials", "[other]\naws_access_key_id = a\n",
                   io::Durability::kProcessCrash);
  EXPECT_THROW(load_or_make_root_key(directory.path(), ids), core::Error);
  EXPECT_THAT(io::read_file(directory.path() / "credentials"), HasSubstr("[other]"));
}

TEST(RootKey, ReadsFilesThatPeopleWrote) {
  const auto key = parse_credentials_file(
      "# mine\n[x]\naws_access_key_id=no\n[default]\n aws_access_key_id=AK\r\n"
      "aws_secret_access_key = S=K/+\nregion = us-east-1\n");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->id, "AK");
  EXPECT_EQ(key->secret, "S=K/+");
  EXPECT_FALSE(parse_credentials_file(""));
  EXPECT_FALSE(parse_credentials_file("[default]\naws_access_key_id = a\n"));
}

TEST(Keys, OpenModeTakesAnybody) {
  Keys keys(Mode::kOpen, "000000000000", {"AKIAROOT", "secret"});
  EXPECT_FALSE(keys.verifies());
  EXPECT_EQ(keys.lookup("test")->account, "000000000000");
  EXPECT_EQ(keys.lookup("123456789012")->account, "123456789012");
  EXPECT_EQ(keys.lookup("123456789012")->principal_arn, "arn:aws:iam::123456789012:root");
  EXPECT_EQ(keys.lookup("12345678901x")->account, "000000000000");
}

TEST(Keys, VerifiedModeKnowsItsOwn) {
  Keys keys(Mode::kVerified, "000000000000", {"AKIAROOT", "secret"});
  EXPECT_TRUE(keys.verifies());
  EXPECT_EQ(keys.lookup("AKIAROOT")->secret, "secret");
  EXPECT_EQ(keys.lookup("123456789012"), nullptr);
  EXPECT_EQ(keys.lookup(""), nullptr);
}

class StsTest : public testing::Test {
 protected:
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(executors.control(), std::move(work), [&](std::exception_ptr error, T value) {
      failure = error;
      result = std::move(value);
    });
    executors.net().restart();
    executors.net().run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
  aws::Call as_root() {
    aws::Call call;
    call.account = "000000000000";
    call.access_key = "AKIAROOT";
    call.principal_arn = root_arn(call.account);
    return call;
  }

  io::Executors executors{1, 1};
  core::ManualClock clock{core::TimePoint(std::chrono::seconds(1767322800))};
  core::SeededIdSource ids{4};
  std::unique_ptr<store::Store> engine = store::make_memory_store(executors.control());
  store::Store& store = *engine;
  Keys keys{Mode::kVerified, "000000000000", {"AKIAROOT", "secret"}};
  GrantBook grants;
  Sessions sessions{store, keys, grants, clock, ids};
  Directory directory{store, keys, grants};
  StsApi api{keys, sessions, directory, grants};
};

TEST_F(StsTest, TheRootIsTheRoot) {
  const auto out = run(api.GetCallerIdentity(as_root(), {}));
  EXPECT_EQ(out.Arn, "arn:aws:iam::000000000000:root");
  EXPECT_EQ(out.UserId, "000000000000");
}

TEST_F(StsTest, AnAssumedRoleGetsAKeyThatWorksUntilItExpires) {
  const auto out = run(api.AssumeRole(
      as_root(), {.RoleArn = "arn:aws:iam::111122223333:role/path/deployer", .RoleSessionName = "ci"}));
  ASSERT_TRUE(out.Credentials && out.AssumedRoleUser);
  EXPECT_EQ(out.AssumedRoleUser->Arn, "arn:aws:sts::111122223333:assumed-role/deployer/ci");
  EXPECT_TRUE(out.AssumedRoleUser->AssumedRoleId.starts_with("AROA"));
  EXPECT_TRUE(out.AssumedRoleUser->AssumedRoleId.ends_with(":ci"));
  EXPECT_EQ(out.Credentials->Expiration, clock.now() + std::chrono::hours(1));
  const auto identity = keys.lookup(out.Credentials->AccessKeyId);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->account, "111122223333");
  EXPECT_EQ(identity->secret, out.Credentials->SecretAccessKey);
  EXPECT_EQ(identity->session_token, out.Credentials->SessionToken);
  EXPECT_EQ(identity->expires, out.Credentials->Expiration);

  aws::Call call;
  call.account = identity->account;
  call.principal_arn = identity->principal_arn;
  EXPECT_EQ(run(api.GetCallerIdentity(call, {})).UserId, out.AssumedRoleUser->AssumedRoleId);
}

TEST_F(StsTest, OnlyRolesCanBeAssumed) {
  for (auto arn :
       {"arn:aws:iam::000000000000:user/x", "arn:aws:iam::0:role/x", "arn:aws:iam::000000000000:role/",
        "not an arn at all!!", "arn:aws:s3::000000000000:role/x"}) {
    EXPECT_THROW(run(api.AssumeRole(as_root(), {.RoleArn = arn, .RoleSessionName = "s"})), aws::Fault) << arn;
  }
}

TEST_F(StsTest, ASessionTokenActsForItsOwnerButMakesNoOther) {
  const auto out = run(api.GetSessionToken(as_root(), {}));
  ASSERT_TRUE(out.Credentials);
  EXPECT_EQ(out.Credentials->Expiration, clock.now() + std::chrono::hours(1));
  auto call = as_root();
  call.access_key = out.Credentials->AccessKeyId;
  EXPECT_THROW(run(api.GetSessionToken(call, {})), aws::Fault);
}

TEST_F(StsTest, TheOwnerOfAKeyCanBeAsked) {
  EXPECT_EQ(run(api.GetAccessKeyInfo(as_root(), {.AccessKeyId = "AKIAROOT"})).Account, "000000000000");
  EXPECT_THROW(run(api.GetAccessKeyInfo(as_root(), {.AccessKeyId = "AKIASTRANGER"})), aws::Fault);
}

TEST_F(StsTest, SessionsOutliveTheDaemonAndExpiredOnesGo) {
  const Session of_root{.account = "000000000000", .principal_arn = root_arn("000000000000")};
  const auto old = run(sessions.issue(of_root, std::chrono::hours(1)));
  Keys restarted(Mode::kVerified, "000000000000", {"AKIAROOT", "secret"});
  {
    GrantBook book;
    Sessions again(store, restarted, book, clock, ids);
    EXPECT_TRUE(restarted.lookup(old.key.id));
    EXPECT_EQ(again.find(old.key.id)->token, old.token);
  }
  clock.advance(std::chrono::hours(2));
  run(sessions.issue(of_root, std::chrono::hours(1)));
  EXPECT_EQ(sessions.size(), 1u);
  EXPECT_FALSE(keys.lookup(old.key.id));
}

TEST(SessionRow, RoundTrips) {
  const Session session{{"ASIA1", "secret"}, "token", "1", "arn", core::TimePoint(core::Millis(5000))};
  const auto read = store::RowCodec<Session>::decode(store::RowCodec<Session>::encode(session));
  EXPECT_EQ(read.key.id, "ASIA1");
  EXPECT_EQ(read.token, "token");
  EXPECT_EQ(read.expires, session.expires);
}

}  // namespace
}  // namespace sampan::iam
