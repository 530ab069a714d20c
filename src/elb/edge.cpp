#include "elb/edge.h"

#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <deque>

#include "core/error.h"
#include "core/log.h"
#include "elb/names.h"
#include "io/file.h"

namespace sampan::elb {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kRetry = std::chrono::seconds(20);

// HAProxy sends its health log from its own user, so every folder above the socket must let that user
// through.
bool others_may_pass(fs::path folder) {
  for (; folder.has_relative_path(); folder = folder.parent_path()) {
    struct stat status{};
    if (stat(folder.c_str(), &status) != 0 || (status.st_mode & S_IXOTH) == 0) return false;
  }
  return true;
}

// Whom HAProxy becomes once its sockets are bound.
void choose_user(HaproxySettings& settings, const fs::path& run) {
  if (geteuid() != 0) return;
  if (!others_may_pass(run)) {
    core::log::warn("haproxy runs as root, because {} lets no other user through", run.string());
    return;
  }
  for (const auto* name : {"haproxy", "nobody"}) {
    const auto* user = getpwnam(name);
    const auto* group = user ? getgrgid(user->pw_gid) : nullptr;
    if (!group) continue;
    settings.user = name;
    settings.group = group->gr_name;
    return;
  }
}

// A connection takes two descriptors and, spliced, half a pipe more; HAProxy refuses to start where its limit
// does not suffice for all that its maxconn promises.
int fitting_connections(int wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return wanted;
  const auto most = (static_cast<std::int64_t>(limit.rlim_max) - 500) * 10 / 26;
  return static_cast<int>(std::clamp<std::int64_t>(most, 100, wanted));
}

}  // namespace

// Rounds of reconcile() and apply() one after the other.
struct Edge::Lock {
  explicit Lock(const asio::any_io_executor& where) : executor(where) {}
  io::Awaitable<void> take() {
    while (held) {
      auto turn =
          std::make_shared<asio::steady_timer>(executor, std::chrono::steady_clock::time_point::max());
      waiting.push_back(turn);
      boost::system::error_code ignored;
      co_await turn->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    held = true;
  }
  void give() {
    held = false;
    if (waiting.empty()) return;
    waiting.front()->cancel();
    waiting.pop_front();
  }
  struct Hold {
    explicit Hold(Lock& held_lock) : lock(held_lock) {}
    Hold(const Hold&) = delete;
    ~Hold() { lock.give(); }
    Lock& lock;
  };
  asio::any_io_executor executor;
  bool held = false;
  std::deque<std::shared_ptr<asio::steady_timer>> waiting;
};

struct Edge::LogSocket {
  explicit LogSocket(const asio::any_io_executor& executor) : socket(executor) {}
  asio::local::datagram_protocol::socket socket;
};

Edge::Edge(io::Executors& executors, const core::Clock& clock, Registry& registry, EdgeOptions options)
    : executors_(executors),
      clock_(clock),
      registry_(registry),
      options_(std::move(options)),
      paths_(edge_paths(options_.data_dir, options_.run_dir)),
      process_(paths_, options_.program),
      bell_(executors.control()),
      lock_(std::make_unique<Lock>(executors.control())) {
  settings_.address = options_.address;
  use_admin_socket(0);
  settings_.log_socket = paths_.log();
  settings_.threads = options_.threads;
  settings_.max_connections = fitting_connections(settings_.max_connections);
  self_ = std::make_shared<Edge*>(this);
  const std::weak_ptr<Edge*> weak = self_;
  const auto follow = [weak](const auto&...) {
    if (const auto self = weak.lock()) (*self)->ring();
  };
  registry_.balancers.on_change(follow);
  registry_.listeners.on_change(follow);
  registry_.rules.on_change(follow);
  registry_.groups.on_change(follow);
  registry_.targets.on_change(follow);
  // A target that is registered (again) begins without a past.
  registry_.targets.on_change(
      [weak](const std::string& key, const TargetRow* before, const TargetRow* after) {
        const bool anew = after && !after->draining() && (!before || before->draining());
        if (const auto self = weak.lock(); self && anew) (*self)->known_.erase(key);
      });
}

void Edge::use_admin_socket(int number) {
  admin_number_ = number;
  settings_.admin_socket = paths_.admin(number);
}

void Edge::ring() {
  dirty_ = true;
  bell_.ring();
}

Edge::~Edge() = default;

io::Awaitable<void> Edge::start() {
  auto prepare = [this] {
    io::make_directories(paths_.config.parent_path(), 0711);
    io::make_directories(paths_.run, 0711);
    choose_user(settings_, paths_.run);
    ::unlink(paths_.log().c_str());
  };
  co_await io::offload(executors_, prepare);
  log_ = std::make_unique<LogSocket>(executors_.control());
  log_->socket.open();
  try {
    log_->socket.bind(asio::local::datagram_protocol::endpoint(paths_.log().string()));
  } catch (const boost::system::system_error& error) {
    throw core::Error(fmt::format("listening on {}", paths_.log().string()), error.what());
  }
  ::chmod(paths_.log().c_str(), 0666);
  co_await adopt();
  coroutines_ = 2;
  io::spawn_detached(executors_.control(), "the load balancers' keeper", keep());
  io::spawn_detached(executors_.control(), "the load balancers' health log", listen_log());
  bell_.ring();
}

io::Awaitable<void> Edge::stop() {
  stopping_ = true;
  bell_.ring();
  boost::system::error_code ignored;
  if (log_) log_->socket.close(ignored);
  while (coroutines_ > 0) co_await io::sleep_for(std::chrono::milliseconds(5));
}

io::Awaitable<void> Edge::keep() {
  std::string last_failure;
  while (!stopping_) {
    co_await bell_.wait_for(kTick);
    if (stopping_) break;
    std::string failure;
    try {
      co_await end_draining();
      co_await reconcile();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (!failure.empty() && failure != last_failure) core::log::error("load balancers: {}", failure);
    last_failure = failure;
  }
  --coroutines_;
}

io::Awaitable<void> Edge::listen_log() {
  std::array<char, 4096> buffer;
  while (!stopping_) {
    boost::system::error_code failed;
    const auto got = co_await log_->socket.async_receive(asio::buffer(buffer),
                                                         asio::redirect_error(asio::use_awaitable, failed));
    if (failed) break;
    if (!tells_of_health(std::string_view(buffer.data(), got))) continue;
    health_rung_ = true;
    bell_.ring();
  }
  --coroutines_;
}

// What a process that was started before us is for and has.
io::Awaitable<void> Edge::adopt() {
  struct Found {
    int admin_number = 0;
    std::string info;
    std::string stat;
    std::string file;
  };
  auto look = [this]() -> std::optional<Found> {
    if (!process_.running()) return std::nullopt;
    try {
      if (const auto number = process_.admin_number()) {
        const auto admin = paths_.admin(*number);
        return Found{*number, ask_haproxy(admin, "show info"), ask_haproxy(admin, "show stat"),
                     io::read_file_if_exists(paths_.config).value_or("")};
      }
      core::log::warn("haproxy runs but none of its admin sockets answers, so it is started anew");
    } catch (const core::Error& error) {
      core::log::warn("haproxy runs but does not answer, so it is started anew: {}", error.what());
    }
    process_.stop();
    return std::nullopt;
  };
  const auto found = co_await io::offload(executors_, look);
  resync_ = false;
  structure_.clear();
  servers_.clear();
  bound_.clear();
  written_ = found ? found->file : std::string();
  if (!found) co_return;
  use_admin_socket(found->admin_number);
  const auto description = info_value(found->info, "description").value_or("");
  constexpr std::string_view kMark = "sampan-";
  if (description.starts_with(kMark)) structure_ = description.substr(kMark.size());
  const auto stats = parse_stat(found->stat);
  for (const auto& stat : stats) {
    const bool drained = stat.is_draining() || stat.is_in_maintenance();
    servers_[stat.backend][stat.server] = drained ? ServerMode::kDrain : ServerMode::kReady;
  }
  for (const auto& port :
       plan_edge(registry_, [](const auto&) { return EdgeServer::Duty::kProbing; }).ports) {
    if (found->file.find(fmt::format("frontend port_{}\n", port.number)) != std::string::npos)
      bound_.insert(port.number);
  }
  take_stats(stats);
}

EdgeModel Edge::plan() {
  std::set<int> unusable;
  for (const auto& [port, why] : unusable_) unusable.insert(port);
  used_groups_.clear();
  for (const auto& [group, users] : registry_.group_users()) used_groups_.insert(group);
  return plan_edge(registry_, [this](const std::string& key) { return duty_of(key); }, unusable);
}

io::Awaitable<std::map<int, std::string>> Edge::apply() {
  co_await lock_->take();
  Lock::Hold hold(*lock_);
  co_await carry_out();
  bell_.ring();
  co_return unusable_;
}

io::Awaitable<void> Edge::reconcile() {
  co_await lock_->take();
  Lock::Hold hold(*lock_);
  auto is_running = [this] { return process_.running().has_value(); };
  const bool runs = co_await io::offload(executors_, is_running);
  if (!runs && !structure_.empty()) {
    core::log::warn("haproxy has ended; starting it again");
    structure_.clear();
    servers_.clear();
    bound_.clear();
    dirty_ = true;
  }
  if (resync_) {
    co_await adopt();
    dirty_ = true;
  }
  if (!unusable_.empty() && clock_.now() >= retry_at_) {
    unusable_.clear();
    dirty_ = true;
  }
  if (dirty_) co_await carry_out();
  if (!structure_.empty() && (health_rung_ || clock_.now() >= next_health_read_)) co_await read_health();
  tell_changes();
}

io::Awaitable<void> Edge::carry_out() {
  dirty_ = false;
  auto model = plan();
  if (model.ports.empty()) {
    if (!structure_.empty()) {
      auto end = [this] { process_.stop(); };
      co_await io::offload(executors_, end);
      structure_.clear();
      servers_.clear();
      bound_.clear();
    }
    co_return;
  }
  if (structure_of(model, settings_) != structure_) {
    co_await replace();
  } else {
    co_await change_servers(std::move(model));
  }
}

io::Awaitable<void> Edge::write_file(std::string text) {
  if (text == written_) co_return;
  auto write = [this, &text] { io::replace_file(paths_.config, text, io::Durability::kProcessCrash, 0600); };
  co_await io::offload(executors_, write);
  written_ = std::move(text);
}

io::Awaitable<void> Edge::replace() {
  const auto before = written_;
  const int old_number = admin_number_;
  for (;;) {
    use_admin_socket(old_number);
    auto model = plan();
    if (model.ports.empty()) co_return;  // none of the ports is to be had
    const auto structure = structure_of(model, settings_);
    if (structure == refused_ && clock_.now() < retry_at_) co_return;
    use_admin_socket(old_number + 1);
    co_await write_file(render_haproxy(model, settings_));
    auto start_it = [this, old_number] { return process_.start(paths_.admin(old_number)); };
    const auto started = co_await io::offload(executors_, start_it);
    if (started.ok) {
      structure_ = structure;
      servers_ = servers_in_file(model);
      bound_.clear();
      for (const auto& port : model.ports) bound_.insert(port.number);
      health_rung_ = true;
      // Targets may have come or gone while it started.
      auto now = plan();
      if (structure_of(now, settings_) != structure_) {
        dirty_ = true;
        bell_.ring();
        now = std::move(model);
      }
      co_await change_servers(std::move(now));
      co_return;
    }
    retry_at_ = clock_.now() + kRetry;
    bool learned = false;
    for (const int port : started.taken_ports) {
      auto look = [this, port] { return elb::port_trouble(options_.address, port); };
      const auto trouble = co_await io::offload(executors_, look);
      learned |=
          unusable_
              .emplace(port, trouble.value_or(fmt::format("port {} of {} was in use by another program: try "
                                                          "again or choose another port",
                                                          port, options_.address)))
              .second;
    }
    if (learned) continue;
    refused_ = structure;
    use_admin_socket(old_number);
    co_await write_file(before);  // what still runs, should it crash
    throw core::Error("starting haproxy", started.error);
  }
}

io::Awaitable<void> Edge::change_servers(EdgeModel model) {
  co_await write_file(render_haproxy(model, settings_));
  const auto steps = plan_servers(model, servers_);
  if (steps.empty()) co_return;
  struct Answer {
    std::string text;
    bool failed = false;
  };
  auto ask_all = [this, &steps] {
    std::vector<Answer> answers;
    for (const auto& step : steps) {
      try {
        answers.push_back({ask_haproxy(settings_.admin_socket, step.commands), false});
      } catch (const core::Error& error) {
        answers.push_back({error.what(), true});
      }
    }
    return answers;
  };
  const auto answers = co_await io::offload(executors_, ask_all);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& step = steps[i];
    auto& here = servers_[step.backend];
    const bool added = step.commands.starts_with("add server");
    const auto has = [&](std::string_view words) { return answers[i].text.find(words) != std::string::npos; };
    const bool done =
        !answers[i].failed && (!added || has("New server registered")) &&
        (step.kind != ServerStep::Kind::kRemove || has("Server deleted") || has("No such server"));
    if (!done) {
      // A server with open connections is deleted at a later round; anything else means we know too little.
      core::log::debug("haproxy, {} {}/{}: {}", added ? "adding" : "changing", step.backend, step.server,
                       answers[i].text);
      if (step.kind != ServerStep::Kind::kRemove || answers[i].failed) resync_ = true;
      if (step.kind == ServerStep::Kind::kRemove)
        here[step.server] = ServerMode::kDrain;  // out of service it is
      dirty_ = true;
      continue;
    }
    if (step.kind == ServerStep::Kind::kRemove) {
      here.erase(step.server);
    } else {
      here[step.server] = step.kind == ServerStep::Kind::kDrain ? ServerMode::kDrain : ServerMode::kReady;
    }
  }
}

io::Awaitable<std::optional<std::string>> Edge::port_trouble(int port) {
  if (bound_.contains(port)) co_return std::nullopt;
  auto look = [this, port] { return elb::port_trouble(options_.address, port); };
  co_return co_await io::offload(executors_, look);
}

}  // namespace sampan::elb
