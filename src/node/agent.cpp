#include "node/agent.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <limits>

#include "core/error.h"
#include "core/log.h"
#include "node/recovery.h"

namespace sampan::node {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kNetworkRounds{30000};

// Both become names of files.
void require_plain_name(std::string_view name, std::string_view what) {
  bool plain = !name.empty() && name.size() <= 255 && name[0] != '.' && name.find('/') == name.npos &&
               name.find('\0') == name.npos;
  if (!plain) throw core::Error(fmt::format("take task with {} \"{}\"", what, name), "it is no plain name");
}

Intent make_intent(TaskAssignment assignment, core::IdSource& ids, core::TimePoint now) {
  require_plain_name(assignment.task_id, "id");
  if (assignment.task_id.size() < 8)
    throw core::Error("take task " + assignment.task_id, "its id is too short");
  Intent intent;
  for (const auto& container : assignment.containers) {
    require_plain_name(container.name, "container");
    intent.runtime_ids.push_back(fmt::format("{}-{}", assignment.task_id, ids.digits(10)));
  }
  intent.credentials_id = ids.uuid();
  intent.assigned_at = now;
  intent.assignment = std::move(assignment);
  return intent;
}

void store_intent(const fs::path& folder, const Intent& intent) {
  io::make_directories(folder, 0711);
  io::replace_file(folder / "task.json", render_intent(intent), io::Durability::kProcessCrash, 0600);
}

void flush_intent(const fs::path& folder) {
  for (const auto& path : {folder / "task.json", folder, folder.parent_path()}) {
    auto file = io::open_file(path, O_RDONLY);
    if (fsync(file.get()) != 0) throw core::errno_error(fmt::format("flush {}", path.string()));
  }
}

// Overlay over id-mapped layers.
bool kernel_maps_overlays() {
  utsname facts{};
  int major = 0, minor = 0;
  if (uname(&facts) != 0 || std::sscanf(facts.release, "%d.%d", &major, &minor) != 2) return false;
  return std::pair(major, minor) >= std::pair(5, 19);
}

UserNamespaces usable(UserNamespaces wanted, const fs::path& data_dir) {
  if (wanted == UserNamespaces::kNever || user_namespaces_work(data_dir)) return wanted;
  return UserNamespaces::kNever;
}

LauncherOptions launcher_options(const AgentParts& parts, const AgentOptions& options) {
  LauncherOptions made;
  made.containers = options.data_dir / "containers";
  made.instance = options.instance;
  made.user_namespaces = usable(options.user_namespaces, options.data_dir);
  made.credentials = static_cast<bool>(parts.credentials);
  return made;
}

}  // namespace

Agent::Agent(AgentParts parts, AgentOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      launcher_(parts_.runtime, parts_.cgroups, parts_.network, launcher_options(parts_, options_)),
      watch_(parts_.executors.control()),
      driver_parts_{parts_.executors,
                    parts_.clock,
                    parts_.images,
                    parts_.runtime,
                    parts_.cgroups,
                    launcher_,
                    watch_,
                    parts_.logs,
                    [this](const NetworkAssignment& network) { return open_endpoint(network); },
                    parts_.credentials,
                    [this](const TaskReport& report) { deliver(report); }} {
  io::make_directories(options_.data_dir / "containers", 0711);
}

Agent::~Agent() = default;

void Agent::on_report(ReportHandler handler) {
  handler_ = std::move(handler);
}

void Agent::deliver(const TaskReport& report) {
  if (handler_) handler_(report);
}

void Agent::begin(Intent intent, Record record, std::optional<Sandbox> sandbox) {
  auto id = intent.assignment.task_id;
  bool over = record.phase == TaskPhase::kStopped;
  auto driver = std::make_shared<Driver>(driver_parts_, std::move(intent), std::move(record));
  drivers_[id] = driver;
  if (over) return;
  io::spawn_detached(parts_.executors.control(), "task " + id, driver->run(std::move(sandbox)));
}

io::Awaitable<void> Agent::start() {
  auto tasks = co_await io::offload(parts_.executors, [this, now = parts_.clock.now()] {
    return recover_tasks(options_.data_dir / "containers", launcher_, parts_.runtime, parts_.cgroups,
                         parts_.network, options_.instance, now);
  });
  for (auto& task : tasks) begin(std::move(task.intent), std::move(task.record), std::move(task.sandbox));
  io::spawn_detached(parts_.executors.control(), "network", maintain_network());
}

io::Awaitable<void> Agent::maintain_network() {
  while (true) {
    co_await io::sleep_for(kNetworkRounds);
    std::string failure;
    try {
      co_await io::offload(parts_.executors, [this] { parts_.network.maintain(); });
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (!failure.empty()) core::log::warn("network: {}", failure);
  }
}

io::Awaitable<void> Agent::open_endpoint(NetworkAssignment network) {
  bool wanted = parts_.endpoint && !network.address.empty();
  if (!wanted || !endpoints_.insert(network.vpc_id).second) co_return;
  std::string failure;
  try {
    auto socket = co_await io::offload(
        parts_.executors, [this, vpc = network.vpc_id] { return parts_.network.open_endpoint(vpc); });
    if (!socket) co_return;
    parts_.endpoint->adopt_listener(
        std::move(socket),
        [this, vpc = network.vpc_id](http::Request& request,
                                     http::BodyReader&) -> io::Awaitable<http::Response> {
          return answer(vpc, request.remote_address, std::string(request.raw_path()));
        });
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (failure.empty()) co_return;
  endpoints_.erase(network.vpc_id);  // the next task tries again
  core::log::warn("no metadata endpoint for {}: {}", network.vpc_id, failure);
}

io::Awaitable<http::Response> Agent::answer(std::string vpc_id, std::string address, std::string path) {
  // The tasks live on the control strand; the request came on another.
  co_await io::asio::post(parts_.executors.control(), io::asio::use_awaitable);
  for (const auto& [id, driver] : drivers_) {
    const auto& network = driver->intent().assignment.network;
    if (driver->over() || network.vpc_id != vpc_id || network.address != address) continue;
    auto asked = driver;  // the table may change meanwhile
    co_return co_await asked->answer(std::move(path));
  }
  co_return http::Response::text(404, "\"no task has this address\"", "application/json");
}

io::Awaitable<void> Agent::assign(TaskAssignment assignment) {
  if (drivers_.contains(assignment.task_id)) co_return;
  auto intent = make_intent(std::move(assignment), parts_.ids, parts_.clock.now());
  auto id = intent.assignment.task_id;
  auto folder = launcher_.task_folder(id);
  co_await io::offload(parts_.executors, [folder, intent] { store_intent(folder, intent); });
  if (drivers_.contains(id)) co_return;  // told twice at once
  auto record = new_record(intent);
  begin(std::move(intent), std::move(record), std::nullopt);
  // The task starts while its intent goes to the disk: only a power failure could lose it until then, and
  // that would end the task too.
  co_await io::offload(parts_.executors, [folder] { flush_intent(folder); });
}

io::Awaitable<void> Agent::stop(std::string task_id) {
  auto found = drivers_.find(task_id);
  if (found != drivers_.end()) {
    if (found->second->over()) {
      deliver(found->second->report());
    } else {
      found->second->stop();
    }
    co_return;
  }
  TaskReport unknown;
  unknown.task_id = std::move(task_id);
  unknown.sequence = std::numeric_limits<std::int64_t>::max();  // above whatever an earlier life told
  unknown.phase = TaskPhase::kStopped;
  unknown.stopped_at = parts_.clock.now();
  deliver(unknown);
}

io::Awaitable<void> Agent::forget(std::string task_id) {
  auto found = drivers_.find(task_id);
  if (found == drivers_.end() || !found->second->over()) co_return;
  auto driver = std::move(found->second);
  drivers_.erase(found);
  driver->abandon_logs();
  while (!driver->at_rest()) co_await io::sleep_for(std::chrono::milliseconds(5));
  co_await io::offload(parts_.executors, [this, task_id] { launcher_.erase(task_id); });
}

std::vector<TaskReport> Agent::reports() const {
  std::vector<TaskReport> all;
  for (const auto& [id, driver] : drivers_) all.push_back(driver->report());
  return all;
}

std::vector<image::Digest> Agent::images_in_use() const {
  std::vector<image::Digest> images;
  for (const auto& [id, driver] : drivers_) {
    if (driver->over()) continue;
    for (const auto& container : driver->record().containers) {
      if (const auto digest = image::Digest::parse(container.image_digest)) images.push_back(*digest);
    }
  }
  return images;
}

std::optional<runtime::ContainerRef> Agent::container(const std::string& task_id,
                                                      const std::string& name) const {
  auto found = drivers_.find(task_id);
  if (found == drivers_.end()) return std::nullopt;
  const auto& intent = found->second->intent();
  for (std::size_t i = 0; i < intent.runtime_ids.size(); ++i) {
    bool runs = found->second->record().containers[i].facts.stage == Stage::kRunning;
    if (runs && intent.assignment.containers[i].name == name) return launcher_.ref(intent, i);
  }
  return std::nullopt;
}

bool user_namespaces_work(const fs::path& data_dir) {
  if (!kernel_maps_overlays()) {
    core::log::warn("user namespaces are off: they need Linux 5.19");
    return false;
  }
  try {
    for (auto path = data_dir; path.has_relative_path(); path = path.parent_path()) {
      struct stat facts;
      if (stat(path.c_str(), &facts) == 0 && !(facts.st_mode & S_IXOTH)) {
        core::log::warn("user namespaces are off: {} may not be passed through by others (mode {:o})",
                        path.string(), facts.st_mode & 07777);
        return false;
      }
    }
    make_namespaces(IdRange{1u << 24, 65536});
    return true;
  } catch (const std::exception& error) {
    core::log::warn("user namespaces are off: {}", error.what());
    return false;
  }
}

}  // namespace sampan::node
