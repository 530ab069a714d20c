#include "io/subprocess.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"

namespace sampan::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;

Command shell(std::string script) {
  Command command;
  command.argv = {"sh", "-c", std::move(script)};
  return command;
}

std::string failure_of(const Command& command) {
  try {
    run_or_throw(command);
  } catch (const core::Error& error) {
    return error.what();
  }
  return "no failure";
}

// Whether it has ended, or ends within two seconds: a killed orphan is reaped by init in its own time.
bool ends(pid_t pid) {
  for (int i = 0; i < 200; ++i) {
    if (::kill(pid, 0) != 0) return true;
    const auto stat = read_file_if_exists("/proc/" + std::to_string(pid) + "/stat");
    if (!stat || stat->find(") Z ") != std::string::npos) return true;
    ::usleep(10'000);
  }
  return false;
}

TEST(Subprocess, CollectsOutputErrorAndExitCode) {
  const Completed completed = run(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(completed.out, "out\n");
  EXPECT_EQ(completed.err, "err\n");
  EXPECT_EQ(completed.exit_code, 3);
  EXPECT_FALSE(completed.ok());
  EXPECT_EQ(completed.describe(), "exit code 3");
}

TEST(Subprocess, TellsTheSignalThatEndedIt) {
  const Completed completed = run(shell("kill -KILL $$"));
  EXPECT_EQ(completed.signal, SIGKILL);
  EXPECT_EQ(completed.describe(), "killed by SIGKILL");
}

TEST(Subprocess, FeedsInputThatMayBeOpenedByName) {
  Command command = shell("wc -c; wc -c < /dev/stdin");  // haproxy -f and nft -f open it again
  command.input = std::string(300'000, 'x');
  EXPECT_EQ(run(command).out, "300000\n300000\n");
}

TEST(Subprocess, DoesNotFailWhenTheInputIsNotRead) {
  Command command = shell("exit 0");
  command.input = std::string(1'000'000, 'x');
  EXPECT_TRUE(run(command).ok());
}

TEST(Subprocess, HasEmptyInputByDefault) {
  EXPECT_EQ(run(shell("wc -c")).out, "0\n");
}

TEST(Subprocess, DropsOutputBeyondTheLimitWithoutBlockingTheChild) {
  Command command = shell("head -c 500000 /dev/zero; head -c 500000 /dev/zero >&2; echo end >&2; exit 7");
  command.output_limit = 1000;
  const Completed completed = run(command);
  EXPECT_EQ(completed.out.size(), 1000u);
  EXPECT_EQ(completed.err.size(), 1000u);
  EXPECT_EQ(completed.exit_code, 7);
}

TEST(Subprocess, KillsTheWholeGroupAtTheDeadline) {
  Command command = shell("sleep 600 & echo $!; sleep 600");
  command.timeout = milliseconds(200);
  const auto start = steady_clock::now();
  const Completed completed = run(command);
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_TRUE(completed.timed_out);
  EXPECT_EQ(completed.describe(), "timed out after 0.2s");
  const auto grandchild = core::parse_int(core::trim(completed.out));
  ASSERT_TRUE(grandchild);
  EXPECT_TRUE(ends(static_cast<pid_t>(*grandchild)));
}

TEST(Subprocess, ReturnsWhenTheChildEndsThoughADaemonHoldsItsOutput) {
  const auto start = steady_clock::now();
  const Completed completed = run(shell("sleep 600 & echo $!"));
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_TRUE(completed.ok());
  const auto daemon = core::parse_int(core::trim(completed.out));
  ASSERT_TRUE(daemon);
  EXPECT_EQ(::kill(static_cast<pid_t>(*daemon), SIGKILL), 0);  // it was left alone
}

TEST(Subprocess, SaysThatAProgramIsMissing) {
  Command command;
  command.argv = {"no-such-program-here"};
  EXPECT_THAT(failure_of(command), HasSubstr("start no-such-program-here: no such program"));
  command.argv = {"/etc/passwd"};
  EXPECT_THAT(failure_of(command), HasSubstr("start /etc/passwd"));
}

TEST(Subprocess, SaysThatADirectoryIsMissing) {
  Command command = shell("true");
  command.directory = "/no/such/directory";
  EXPECT_THAT(failure_of(command), HasSubstr("in /no/such/directory: No such file or directory"));
}

TEST(Subprocess, RunsInItsDirectory) {
  Command command = shell("pwd");
  command.directory = "/usr";
  EXPECT_EQ(run(command).out, "/usr\n");
}

TEST(Subprocess, QuotesTheLastErrorLine) {
  EXPECT_EQ(failure_of(shell("echo first >&2; echo last >&2; exit 2")),
            "sh -c echo first >&2; echo last >&2; exit 2: exit code 2: last");
}

TEST(Subprocess, MergesOrReplacesTheEnvironment) {
  ASSERT_EQ(::setenv("SAMPAN_TEST_A", "ours", 1), 0);
  Command command = shell("echo $SAMPAN_TEST_A $SAMPAN_TEST_B");
  command.environment = {"SAMPAN_TEST_B=b"};
  EXPECT_EQ(run(command).out, "ours b\n");
  command.environment = {"SAMPAN_TEST_A=theirs"};
  EXPECT_EQ(run(command).out, "theirs\n");
  command.inherit_environment = false;
  command.argv = {"env"};
  EXPECT_EQ(run(command).out, "SAMPAN_TEST_A=theirs\n");
  ::unsetenv("SAMPAN_TEST_A");
}

TEST(Subprocess, OpensNothingButWhatItIsGiven) {
  const UniqueFd leaky(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC, as a library might
  const UniqueFd other(::open("/dev/null", O_RDONLY));
  ASSERT_GE(other.get(), 4);
  Command command;
  command.argv = {"ls", "/proc/self/fd"};
  EXPECT_EQ(run(command).out, "0\n1\n2\n3\n");  // 3 is the directory itself
}

TEST(Subprocess, GivesDescriptorsUnderTheNumbersAskedFor) {
  const TemporaryDirectory directory;
  replace_file(directory.path() / "a", "A", Durability::kProcessCrash);
  replace_file(directory.path() / "b", "B", Durability::kProcessCrash);
  UniqueFd a = open_file(directory.path() / "a", O_RDONLY);
  UniqueFd b = open_file(directory.path() / "b", O_RDONLY);
  // Crosswise: each wants the other's number.
  Command command = shell("cat /proc/self/fd/" + std::to_string(a.get()) + " /proc/self/fd/" +
                          std::to_string(b.get()) + " /proc/self/fd/9");
  command.inherit_fds = {{a.get(), b.get()}, {b.get(), a.get()}, {a.get(), 9}};
  EXPECT_EQ(run(command).out, "BAA");
}

TEST(Subprocess, RestoresSignalsThatTheDaemonIgnores) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const Completed completed = run(shell("kill -PIPE $$; echo survived"));
  ::signal(SIGPIPE, before);
  EXPECT_EQ(completed.signal, SIGPIPE);
}

TEST(Subprocess, LeavesNoDescriptorAndNoChildBehind) {
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  run(shell("true"));
  const auto before = count();
  for (int i = 0; i < 20; ++i) run(shell("echo x"));
  EXPECT_EQ(count(), before);
}

TEST(FindProgram, GivesAbsolutePathsOnly) {
  EXPECT_THAT(find_program("sh").value_or(""), testing::EndsWith("/sh"));
  EXPECT_EQ(find_program("/bin/sh"), "/bin/sh");
  EXPECT_EQ(find_program("no-such-program-here"), std::nullopt);
  EXPECT_EQ(find_program(""), std::nullopt);
  EXPECT_EQ(find_program("/etc/passwd"), std::nullopt);
}

}  // namespace
}  // namespace sampan::io
