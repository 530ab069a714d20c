#include "daemon/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "io/file.h"

namespace sampan::daemon {
namespace {

using testing::HasSubstr;

std::optional<Options> parse(std::vector<const char*> flags) {
  flags.insert(flags.begin(), "sampand");
  return parse_options(static_cast<int>(flags.size()), flags.data());
}

std::string refusal(const std::vector<const char*>& flags) {
  try {
    parse(flags);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(Options, DefaultsAreTheContracts) {
  auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->data_dir, "/var/lib/sampan");
  EXPECT_EQ(options->run_dir, "/run/sampan");
  EXPECT_EQ(options->listen_address, "127.0.0.1");
  EXPECT_EQ(options->listen_port, 4566);
  EXPECT_EQ(options->account, "000000000000");
  EXPECT_EQ(options->region, "us-east-1");
  EXPECT_EQ(options->vpc_cidr, "172.30.0.0/16");
  EXPECT_FALSE(options->open_auth);
  EXPECT_EQ(options->verb, Verb::kServe);
}

TEST(Options, WrongOnesAreOneClearLine) {
  struct Row {
    std::vector<const char*> flags;
    const char* says;
  };
  for (const auto& row : std::initializer_list<Row>{
           {{"--listen", "x"}, "--listen takes ADDRESS:PORT"},
           {{"--listen", "example.com:80"}, "'example.com' is none"},
           {{"--listen", "127.0.0.1:70000"}, "--listen takes ADDRESS:PORT"},
           {{"--auth", "open", "--listen", "0.0.0.0:80"}, "loopback"},
           {{"--auth", "maybe"}, "--auth"},
           {{"--account", "1"}, "12 digits"},
           {{"--vpc-cidr", "10.0.0.0"}, "--vpc-cidr"},
           {{"--vpc-cidr", "10.0.0.0/8"}, "/16 to /24"},
           {{"--edge-address", "nowhere"}, "--edge-address"},
           {{"--store", "redis"}, "sqlite or memory"},
           {{"--store", "etcd://127.0.0.1:2379"}, "etcd engine"},
           {{"--nonsense"}, "--nonsense"},
           {{"serve"}, "serve"},
       }) {
    auto said = refusal(row.flags);
    EXPECT_THAT(said, HasSubstr(row.says));
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
}

TEST(Options, OpenAuthIsTakenOnLoopback) {
  EXPECT_TRUE(parse({"--auth", "open", "--listen", "127.0.0.2:80"})->open_auth);
  EXPECT_TRUE(parse({"--auth", "open", "--listen", "[::1]:80"})->open_auth);
}

TEST(Options, AFileHoldsTheSameNamesAndFlagsWin) {
  io::TemporaryDirectory directory;
  auto file = (directory.path() / "sampan.conf").string();
  std::ofstream(file) << "region = \"eu-west-1\"\naccount = \"111122223333\"\n";
  auto options = parse({"--config", file.c_str(), "--account", "444455556666"});
  EXPECT_EQ(options->region, "eu-west-1");
  EXPECT_EQ(options->account, "444455556666");
}

TEST(Options, TheInstanceIsNamedByItsDataDirectory) {
  auto one = parse({"--data-dir", "/a"})->instance_id();
  EXPECT_THAT(one, testing::MatchesRegex("[0-9a-f]{4}"));
  EXPECT_EQ(one, parse({"--data-dir", "/x/../a"})->instance_id());
  EXPECT_NE(one, parse({"--data-dir", "/b"})->instance_id());
}

TEST(Options, TeardownTakesTheSamePlaces) {
  auto options = parse({"--data-dir", "/a", "--run-dir", "/r", "teardown", "--purge"});
  EXPECT_EQ(options->verb, Verb::kTeardown);
  EXPECT_TRUE(options->purge);
  EXPECT_EQ(options->run_dir, "/r");
}

}  // namespace
}  // namespace sampan::daemon
