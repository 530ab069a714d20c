#include "node/driver.h"

#include <csignal>

#include "core/error.h"
#include "core/log.h"
#include "core/metrics.h"
#include "node/container_spec.h"
#include "node/metadata.h"

namespace sampan::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLongestWait{3600 * 1000};

milliseconds until(const std::optional<core::TimePoint>& at, core::TimePoint now) {
  if (!at) return kLongestWait;
  return std::clamp(std::chrono::duration_cast<milliseconds>(*at - now), milliseconds(1), kLongestWait);
}

image::Platform this_platform() {
  image::Platform platform;
#if defined(__aarch64__)
  platform.architecture = "arm64";
#endif
  return platform;
}

core::metrics::Histogram& launch_histogram(const char* stage) {
  return core::metrics::histogram(
      "sampan_container_launch_seconds", "Time of one stage of a container's start",
      {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5}, {{"stage", stage}});
}

}  // namespace

Driver::Driver(DriverParts& parts, Intent intent, Record record)
    : parts_(parts),
      intent_(std::move(intent)),
      record_(std::move(record)),
      work_(record_.containers.size()),
      bell_(parts.executors.control()),
      at_rest_(record_.phase == TaskPhase::kStopped),
      begun_(std::chrono::steady_clock::now()) {}

void Driver::spawn(std::string_view what, io::Awaitable<void> work) {
  // The frame keeps the driver: each coroutine here begins by taking a share of it.
  io::spawn_detached(parts_.executors.control(), fmt::format("task {}: {}", intent_.assignment.task_id, what),
                     std::move(work));
}

void Driver::changed() {
  dirty_ = true;
  bell_.ring();
}

void Driver::stop() {
  if (record_.stop_wanted) return;
  record_.stop_wanted = true;
  changed();
}

io::Awaitable<void> Driver::run(std::optional<Sandbox> sandbox) {
  auto self = shared_from_this();
  sandbox_ = std::move(sandbox);
  if (sandbox_) {
    record_.sandbox_ready = true;
    co_await parts_.open_endpoint(intent_.assignment.network);
  } else if (!record_.stop_wanted) {
    preparing_ = true;
    spawn("sandbox", prepare_sandbox());
  }
  for (std::size_t i = 0; i < work_.size(); ++i) {
    auto stage = record_.containers[i].facts.stage;
    if (stage == Stage::kRunning) spawn("exit", watch_exit(i));
    if (stage == Stage::kRunning || stage == Stage::kStopped) begin_tail(i);
    if (stage == Stage::kStopped && work_[i].tail) work_[i].tail->finish();
  }
  while (!finished_) {
    auto now = parts_.clock.now();
    auto facts = facts_of(record_);
    facts.sandbox_busy = preparing_;
    auto plan = plan_task(intent_.assignment, facts, now);
    for (const auto& action : plan.actions) perform(action);
    if (finished_) break;
    settle(intent_, record_, now);
    if (dirty_) {
      co_await keep_and_report();
      continue;  // more may have come meanwhile
    }
    co_await bell_.wait_for(until(plan.wake_at, parts_.clock.now()));
  }
  co_await finish();
}

void Driver::perform(const Action& action) {
  auto* facts =
      action.container < record_.containers.size() ? &record_.containers[action.container].facts : nullptr;
  switch (action.kind) {
    case Action::Kind::kPull:
      begin_pull(action.container);
      break;
    case Action::Kind::kStart:
      facts->stage = Stage::kStarting;
      spawn("start", start(action.container));
      break;
    case Action::Kind::kCheckHealth:
      facts->health.checking = true;
      spawn("health check", check_health(action.container));
      break;
    case Action::Kind::kTerminate:
      facts->terminated_at = parts_.clock.now();
      changed();
      spawn("stop", signal(action.container, record_.containers[action.container].stop_signal));
      break;
    case Action::Kind::kKill:
      facts->killed = true;
      changed();
      spawn("kill", signal(action.container, SIGKILL));
      break;
    case Action::Kind::kSkip:
      facts->stage = Stage::kStopped;
      changed();
      break;
    case Action::Kind::kStopTask:
      record_.stop_wanted = true;
      record_.stop_code = action.stop_code;
      record_.stopped_reason = action.reason;
      changed();
      break;
    case Action::Kind::kFinish:
      finished_ = true;
      break;
  }
}

io::Awaitable<void> Driver::keep_and_report() {
  dirty_ = false;
  ++record_.sequence;
  auto report = report_of(intent_, record_);
  auto path = parts_.launcher.task_folder(intent_.assignment.task_id) / "state.json";
  std::string failure;
  try {
    co_await io::offload(parts_.executors, [path, text = render_record(record_)] {
      io::replace_file(path, text, io::Durability::kProcessCrash, 0600);
    });
  } catch (const std::exception& error) {
    failure = error.what();
  }
  // The task goes on: what is not kept now is seen again by observing, after a restart.
  if (!failure.empty()) core::log::error("task {}: {}", intent_.assignment.task_id, failure);
  parts_.report(report);
}

io::Awaitable<void> Driver::prepare_sandbox() {
  auto self = shared_from_this();
  auto begin = std::chrono::steady_clock::now();
  std::string failure;
  std::optional<Sandbox> made;
  try {
    made = co_await io::offload(parts_.executors,
                                [self] { return self->parts_.launcher.prepare(self->intent_); });
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (made) {
    sandbox_ = std::move(made);
    record_.connectivity_at = parts_.clock.now();
    co_await parts_.open_endpoint(intent_.assignment.network);
    record_.sandbox_ready = true;
  } else {
    record_.sandbox_error = "ResourceInitializationError: unable to set up the task's network: " + failure;
  }
  preparing_ = false;
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  launch_histogram("sandbox").observe(took.count());
  changed();
}

void Driver::begin_pull(std::size_t container) {
  record_.containers[container].facts.stage = Stage::kPulling;
  if (!record_.pull_started_at) {
    record_.pull_started_at = parts_.clock.now();
    changed();
  }
  spawn("pull", pull(container));
}

io::Awaitable<void> Driver::pull(std::size_t container) {
  auto self = shared_from_this();
  const auto& wanted = intent_.assignment.containers[container];
  auto begin = std::chrono::steady_clock::now();
  std::string failure;
  const auto held = parts_.images.hold();  // until the record says which image it is
  try {
    auto reference = image::Reference::parse(wanted.image);
    if (!reference) throw core::Error(fmt::format("invalid reference format: \"{}\"", wanted.image));
    if (!wanted.image_digest.empty()) reference->digest = image::Digest::parse(wanted.image_digest);
    image::Registry registry{intent_.assignment.account, intent_.assignment.region};
    image::PullOptions options;
    options.platform = this_platform();
    auto image =
        co_await parts_.images.ensure(std::move(registry), std::move(*reference), std::move(options));
    auto& record = record_.containers[container];
    record.image_digest = image.manifest.str();
    record.image_id = image.config_digest.str();
    record.stop_signal = parse_signal(image.config.stop_signal);
    work_[container].image = image.config;
    work_[container].layers = co_await parts_.images.ensure_unpacked(std::move(image));
  } catch (const std::exception& error) {
    failure = fmt::format("CannotPullContainerError: {}", error.what());
  }
  if (failure.empty()) {
    try {
      co_await open_log(container);
    } catch (const std::exception& error) {
      failure =
          fmt::format("ResourceInitializationError: failed to initialize logging driver: {}", error.what());
    }
  }
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  launch_histogram("image").observe(took.count());
  auto& facts = record_.containers[container].facts;
  if (facts.stage != Stage::kPulling) co_return;  // the task was stopped meanwhile
  if (!failure.empty()) {
    fail(container, std::move(failure));
    co_return;
  }
  facts.stage = Stage::kPulled;
  note_pulled();
}

void Driver::note_pulled() {
  bool all = std::all_of(record_.containers.begin(), record_.containers.end(),
                         [](const ContainerRecord& one) { return one.facts.stage >= Stage::kPulled; });
  if (all && !record_.pull_stopped_at) record_.pull_stopped_at = parts_.clock.now();
  changed();
}

bool Driver::carries_logs(std::size_t container) const {
  return parts_.logs && intent_.assignment.containers[container].log.driver == "awslogs";
}

LogStream Driver::log_stream(std::size_t container) const {
  const auto& task = intent_.assignment;
  const auto& wanted = task.containers[container];
  auto option = [&](const char* name) {
    auto found = wanted.log.options.find(name);
    return found == wanted.log.options.end() ? std::string() : found->second;
  };
  LogStream stream;
  stream.account = task.account;
  stream.region = option("awslogs-region");
  if (stream.region.empty()) stream.region = task.region;
  stream.group = option("awslogs-group");
  auto prefix = option("awslogs-stream-prefix");
  stream.stream = prefix.empty() ? intent_.runtime_ids[container]
                                 : fmt::format("{}/{}/{}", prefix, wanted.name, task.task_id);
  return stream;
}

io::Awaitable<void> Driver::open_log(std::size_t container) {
  auto self = shared_from_this();
  if (!carries_logs(container)) co_return;
  const auto& options = intent_.assignment.containers[container].log.options;
  auto create = options.find("awslogs-create-group");
  bool create_group = create != options.end() && create->second == "true";
  auto stream = log_stream(container);
  co_await parts_.logs->open(stream, create_group);
}

void Driver::begin_tail(std::size_t container) {
  if (work_[container].tail) return;
  auto* sink = carries_logs(container) ? parts_.logs : nullptr;
  work_[container].tail =
      std::make_shared<LogTail>(parts_.executors, parts_.watch, sink, log_stream(container),
                                parts_.launcher.log_file(intent_, container));
  spawn("log", work_[container].tail->run());
}

io::Awaitable<void> Driver::start(std::size_t container) {
  auto self = shared_from_this();
  std::string failure;
  LaunchTimes times;
  try {
    times = co_await io::offload(parts_.executors, [self, container] {
      const auto& work = self->work_[container];
      return self->parts_.launcher.launch(self->intent_, container, *self->sandbox_, work.image, work.layers);
    });
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (failure.empty()) {
    note_running(container);
    launch_histogram("mount").observe(static_cast<double>(times.mount.count()) / 1e6);
    launch_histogram("create").observe(static_cast<double>(times.create.count()) / 1e6);
    launch_histogram("start").observe(static_cast<double>(times.start.count()) / 1e6);
    auto total = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun_);
    core::log::debug("task {}: container {} runs after {} ms (mount {} us, create {} us, start {} us)",
                     intent_.assignment.task_id, intent_.assignment.containers[container].name, total.count(),
                     times.mount.count(), times.create.count(), times.start.count());
    co_return;
  }
  try {
    co_await io::offload(parts_.executors,
                         [self, container] { self->parts_.launcher.clear(self->intent_, container); });
  } catch (const std::exception& error) {
    core::log::warn("task {}: {}", intent_.assignment.task_id, error.what());
  }
  fail(container, std::move(failure));
}

void Driver::fail(std::size_t container, std::string reason) {
  auto& facts = record_.containers[container].facts;
  facts.stage = Stage::kStopped;
  facts.failed = true;
  facts.reason = std::move(reason);
  changed();
}

void Driver::note_running(std::size_t container) {
  auto& facts = record_.containers[container].facts;
  facts.stage = Stage::kRunning;
  facts.started_at = parts_.clock.now();
  changed();
  begin_tail(container);
  spawn("exit", watch_exit(container));
}

io::Awaitable<void> Driver::watch_exit(std::size_t container) {
  auto self = shared_from_this();
  auto status = co_await parts_.runtime.wait(parts_.launcher.ref(intent_, container));
  auto& facts = record_.containers[container].facts;
  facts.stage = Stage::kStopped;
  facts.finished_at = status ? status->finished_at : parts_.clock.now();
  if (!status) {
    facts.reason = "CannotInspectContainerError: The container's monitor is gone, its exit code is unknown";
  } else {
    facts.exit_code = status->code;
    if (status->out_of_memory) facts.reason = "OutOfMemoryError: Container killed due to memory usage";
  }
  if (work_[container].tail) work_[container].tail->finish();
  changed();
}

io::Awaitable<void> Driver::check_health(std::size_t container) {
  auto self = shared_from_this();
  const auto& check = *intent_.assignment.containers[container].health_check;
  auto begun = parts_.clock.now();
  bool passed = false;
  runtime::ExecRequest request;
  request.process.args = health_command(check);
  request.timeout = seconds(check.timeout_seconds);
  request.output_limit = 4096;
  try {
    if (!request.process.args.empty()) {
      auto result = co_await parts_.runtime.exec(parts_.launcher.ref(intent_, container), std::move(request));
      passed = result.exit_code == 0 && !result.timed_out;
    }
  } catch (const std::exception& error) {
    core::log::debug("task {}: health check: {}", intent_.assignment.task_id, error.what());
  }
  auto& facts = record_.containers[container].facts;
  if (facts.stage != Stage::kRunning) co_return;  // it ended meanwhile: this result says nothing
  auto before = facts.health.status;
  apply_health_result(facts.health, check, facts.started_at.value_or(begun), begun, parts_.clock.now(),
                      passed);
  if (facts.health.status != before) {
    changed();
  } else {
    bell_.ring();
  }
}

io::Awaitable<void> Driver::signal(std::size_t container, int signal_number) {
  auto self = shared_from_this();
  auto target = parts_.launcher.ref(intent_, container);
  co_await io::offload(parts_.executors,
                       [self, target, signal_number] { self->parts_.runtime.signal(target, signal_number); });
}

bool Driver::logs_done() const {
  return std::all_of(work_.begin(), work_.end(),
                     [](const Work& work) { return !work.tail || work.tail->done(); });
}

void Driver::abandon_logs() {
  for (auto& work : work_) {
    if (work.tail) work.tail->abandon();
  }
}

}  // namespace sampan::node
