// up, down, status, configure: the daemon itself.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <thread>

#include "api/ecs.h"
#include "api/sts.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/text.h"
#include "io/file.h"
#include "io/subprocess.h"

extern char** environ;

namespace sampan::cli {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// sampand beside this program, else in PATH.
std::string find_daemon() {
  std::error_code ignored;
  auto beside = fs::read_symlink("/proc/self/exe", ignored).parent_path() / "sampand";
  if (::access(beside.c_str(), X_OK) == 0) return beside;
  if (auto found = io::find_program("sampand")) return *found;
  throw core::Error("sampand was not found beside sampan nor in PATH");
}

// The daemon of this run dir, if one lives. Its pid file is only believed when that process is a sampand.
std::optional<pid_t> running_daemon(const Places& places) {
  auto text = io::read_file_if_exists(places.run_dir / "sampand.pid");
  auto pid = text ? core::parse_int(core::trim(*text)) : std::nullopt;
  if (!pid || *pid <= 1) return std::nullopt;
  auto command = io::read_file_if_exists("/proc/" + std::to_string(*pid) + "/comm");
  if (!command || core::trim(*command) != "sampand") return std::nullopt;
  return static_cast<pid_t>(*pid);
}

std::optional<boost::json::object> health(Session& session) {
  try {
    http::ClientRequest ask;
    ask.url = session.endpoint() + "/health";
    ask.timeout = 2s;
    auto answer = session.run(http::fetch(std::move(ask)));
    if (answer.status != 200) return std::nullopt;
    return boost::json::parse(answer.body).as_object();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

pid_t spawn_daemon(const std::vector<std::string>& arguments, const fs::path& log) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0640);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  int failed = posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) throw core::errno_error("cannot start " + arguments[0], failed);
  return pid;
}

// The last lines of the log that this start wrote.
std::string last_words(const fs::path& log, std::uintmax_t from) {
  auto text = io::read_file_if_exists(log).value_or("");
  if (text.size() > from) text = text.substr(from);
  auto trimmed = std::string(core::trim(text));
  auto line = trimmed.rfind('\n');
  return line == std::string::npos ? trimmed : trimmed.substr(line + 1);
}

struct UpFlags {
  std::string listen = "127.0.0.1:4566";
  std::vector<std::string> daemon_flags;
};

void up(Session& session, const UpFlags& flags) {
  const auto& places = session.places();
  session.configure("http://" + flags.listen, session.region(), places, session.json());
  if (auto pid = running_daemon(places)) {
    fmt::print("Sampan is running already (pid {}) at {}\n", *pid, session.endpoint());
    return;
  }
  io::make_directories(places.data_dir, 0711);  // as sampand makes it: tasks' own users walk through
  auto log = places.data_dir / "sampand.log";
  std::error_code ignored;
  auto size = fs::file_size(log, ignored);
  if (ignored) size = 0;
  std::vector<std::string> arguments = {find_daemon(), "--data-dir", places.data_dir, "--run-dir", places.run_dir, "--listen", flags.listen};
  arguments.insert(arguments.end(), flags.daemon_flags.begin(), flags.daemon_flags.end());
  auto pid = spawn_daemon(arguments, log);
  for (auto deadline = std::chrono::steady_clock::now() + 20s; std::chrono::steady_clock::now() < deadline;) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) {
      throw core::Error("sampand did not start: " + last_words(log, size) + " (its log: " + log.string() + ")");
    }
    if (health(session)) {
      fmt::print("Sampan is up at {} (pid {}, log {})\n", session.endpoint(), pid, log.string());
      fmt::print("Next: sampan configure; aws --profile sampan ecs list-clusters\n");
      return;
    }
    std::this_thread::sleep_for(20ms);
  }
  throw core::Error("sampand started (pid " + std::to_string(pid) + ") but does not answer at " + session.endpoint() + "; its log: " + log.string());
}

void stop_daemon(pid_t pid) {
  if (::kill(pid, SIGTERM) != 0 && errno != ESRCH) throw core::errno_error("cannot stop sampand (pid " + std::to_string(pid) + ")");
  for (auto deadline = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < deadline;) {
    if (::kill(pid, 0) != 0 && errno == ESRCH) return;
    // A daemon that `up` of this very shell's parent started may stay a zombie until that one waits for it.
    auto stat = io::read_file_if_exists("/proc/" + std::to_string(pid) + "/stat").value_or(") Z");
    if (stat.find(") Z") != std::string::npos) return;
    std::this_thread::sleep_for(20ms);
  }
  throw core::Error("sampand (pid " + std::to_string(pid) + ") did not stop within 10 s; end it with: kill -9 " + std::to_string(pid));
}

void down(Session& session, bool purge) {
  const auto& places = session.places();
  Progress progress(session.interactive());
  progress.begin("Stopping the daemon");
  if (auto pid = running_daemon(places)) stop_daemon(*pid);
  progress.done();
  progress.begin(purge ? "Removing tasks, load balancers, networks and data" : "Removing tasks, load balancers and networks");
  io::Command teardown;
  teardown.argv = {find_daemon(), "--data-dir", places.data_dir, "--run-dir", places.run_dir, "teardown"};
  if (purge) teardown.argv.push_back("--purge");
  teardown.timeout = 120s;
  auto ended = io::run(teardown);
  if (!ended.ok()) throw core::Error("sampand teardown: " + ended.describe() + ": " + std::string(core::trim(ended.err)));
  progress.done();
}

void status(Session& session) {
  auto found = health(session);
  if (!found) throw core::Error("no Sampan answers at " + session.endpoint() + "; start one with: sampan up");
  auto clusters = session.call<api::ecs::ops::ListClusters>(api::ecs::ListClustersRequest{});
  api::ecs::DescribeClustersRequest ask;
  ask.clusters = clusters.clusterArns;
  std::vector<api::ecs::Cluster> described;
  if (clusters.clusterArns && !clusters.clusterArns->empty()) {
    described = session.call<api::ecs::ops::DescribeClusters>(ask)
                    .clusters.value_or(std::vector<api::ecs::Cluster>{});
  }
  if (session.json()) {
    boost::json::array list;
    for (const auto& cluster : described) {
      list.push_back(boost::json::object{{"name", cluster.clusterName.value_or("")},
                                         {"services", cluster.activeServicesCount.value_or(0)},
                                         {"running", cluster.runningTasksCount.value_or(0)},
                                         {"pending", cluster.pendingTasksCount.value_or(0)}});
    }
    (*found)["endpoint"] = session.endpoint();
    (*found)["clusters"] = list;
    fmt::print("{}\n", boost::json::serialize(*found));
    return;
  }
  fmt::print("Sampan {} at {}\n\n", std::string(found->at("version").as_string()), session.endpoint());
  std::vector<std::vector<std::string>> rows;
  for (const auto& cluster : described) {
    rows.push_back({cluster.clusterName.value_or(""), std::to_string(cluster.activeServicesCount.value_or(0)),
                    std::to_string(cluster.runningTasksCount.value_or(0)), std::to_string(cluster.pendingTasksCount.value_or(0))});
  }
  fmt::print("{}", render_table({"CLUSTER", "SERVICES", "RUNNING", "PENDING"}, rows));
}

// Replaces (or adds) one section of an ini text and leaves every other line as it was.
std::string with_section(const std::string& text, const std::string& section, const std::string& body) {
  std::string out;
  bool inside = false;
  for (const auto& line : core::split(text, '\n')) {
    if (core::trim(line).starts_with('[')) inside = core::trim(line) == "[" + section + "]";
    if (!inside) out += line + "\n";
  }
  while (out.ends_with("\n\n")) out.pop_back();
  if (out == "\n") out.clear();
  return out + (out.empty() ? "" : "\n") + "[" + section + "]\n" + body;
}

fs::path aws_path(const char* variable, const char* name) {
  if (const char* written = std::getenv(variable)) return written;
  const char* home = std::getenv("HOME");
  return fs::path(home ? home : "/root") / ".aws" / name;
}

// For `eval "$(sampan configure --print)"`.
void print_keys(Session& session) {
  auto keys = session.credentials();
  fmt::print("export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\nexport AWS_REGION={}\nexport AWS_ENDPOINT_URL={}\n",
             keys.access_key, keys.secret, session.region(), session.endpoint());
}

void configure(Session& session, const std::string& profile) {
  auto keys = read_credentials(session.places().data_dir / "credentials", "default");
  auto used = keys ? *keys : session.credentials();
  auto config = aws_path("AWS_CONFIG_FILE", "config");
  auto credentials = aws_path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
  io::make_directories(config.parent_path(), 0700);
  io::make_directories(credentials.parent_path(), 0700);
  io::replace_file(config,
                   with_section(io::read_file_if_exists(config).value_or(""), "profile " + profile,
                                "region = " + session.region() + "\nendpoint_url = " + session.endpoint() + "\noutput = json\n"),
                   io::Durability::kFlushed, 0600);
  io::replace_file(credentials,
                   with_section(io::read_file_if_exists(credentials).value_or(""), profile,
                                "aws_access_key_id = " + used.access_key + "\naws_secret_access_key = " + used.secret + "\n"),
                   io::Durability::kFlushed, 0600);
  fmt::print("Profile {} is written: {} and {}\nTry: aws --profile {} ecs list-clusters\n", profile, config.string(), credentials.string(), profile);
}

}  // namespace

void add_up(CLI::App& app, Session& session) {
  auto flags = std::make_shared<UpFlags>();
  auto* command = app.add_subcommand("up", "Start the daemon in the background");
  command->add_option("--listen", flags->listen, "ADDRESS:PORT of every API")->capture_default_str();
  for (const char* name : {"--account", "--auth", "--runtime", "--vpc-cidr", "--edge-address", "--store", "--log-level", "--log-format", "--config"}) {
    command->add_option_function<std::string>(
        name, [flags, name](const std::string& value) { flags->daemon_flags.insert(flags->daemon_flags.end(), {name, value}); },
        "As sampand has it");
  }
  command->callback([flags, &session] { up(session, *flags); });
}

void add_down(CLI::App& app, Session& session) {
  auto purge = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("down", "Stop the daemon and its tasks, load balancers and networks; the data stays");
  command->add_flag("--purge", *purge, "Remove the data as well");
  command->callback([purge, &session] { down(session, *purge); });
}

void add_status(CLI::App& app, Session& session) {
  app.add_subcommand("status", "The daemon, its version and its clusters")->callback([&session] { status(session); });
}

void add_configure(CLI::App& app, Session& session) {
  auto profile = std::make_shared<std::string>("sampan");
  auto* command = app.add_subcommand("configure", "Write an AWS profile (region, endpoint, keys), for `aws --profile sampan …`");
  auto print = std::make_shared<bool>(false);
  command->add_option("--profile", *profile)->capture_default_str();
  command->add_flag("--print", *print, "Write nothing; print the variables for a shell's eval");
  command->callback([=, &session] { *print ? print_keys(session) : configure(session, *profile); });
}

}  // namespace sampan::cli
