// One task's life: asks the plan what is next (lifecycle.h), lets the launcher do it, keeps the record on
// disk and reports. On the control strand; the work itself runs on the blocking pool.
//
// Owned by the coroutines it runs and by the agent's table. Nobody waits for them: the executors must have
// stopped before what the driver refers to is destroyed.
#pragma once

#include <functional>
#include <memory>

#include "core/clock.h"
#include "http/message.h"
#include "image/puller.h"
#include "io/executors.h"
#include "node/file_watch.h"
#include "node/launcher.h"
#include "node/log_tail.h"
#include "node/record.h"
#include "runtime/container.h"

namespace sampan::node {

// A task role's credentials as JSON, or nothing.
using Credentials = std::function<io::Awaitable<std::optional<std::string>>(const TaskAssignment&)>;

// What all drivers share; the agent owns it.
struct DriverParts {
  io::Executors& executors;
  const core::Clock& clock;
  image::Images& images;
  runtime::Runtime& runtime;
  const runtime::Cgroups& cgroups;
  Launcher& launcher;
  FileWatch& watch;
  LogSink* logs;  // may be null: containers' logs stay on the node
  std::function<io::Awaitable<void>(const NetworkAssignment&)> open_endpoint;  // the VPC's, once
  Credentials credentials;                                                     // may be empty
  std::function<void(const TaskReport&)> report;
};

class Driver : public std::enable_shared_from_this<Driver> {
 public:
  Driver(DriverParts& parts, Intent intent, Record record);

  // Works until the task is over. `sandbox`: what still stands from another life.
  io::Awaitable<void> run(std::optional<Sandbox> sandbox);
  void stop();
  // run() has ended: nothing works on the task's folder any more, but for its logs.
  bool at_rest() const { return at_rest_; }
  bool over() const { return record_.phase == TaskPhase::kStopped; }
  // Every log line of the task has been stored (or never will be).
  bool logs_done() const;
  void abandon_logs();
  const Intent& intent() const { return intent_; }
  const Record& record() const { return record_; }
  TaskReport report() const { return report_of(intent_, record_); }
  // A metadata request from inside the task.
  io::Awaitable<http::Response> answer(std::string path);

 private:
  struct Work {  // of a container, while this process lives
    image::ImageConfig image;
    std::vector<std::filesystem::path> layers;
    std::shared_ptr<LogTail> tail;  // shared with its own coroutine
  };

  void spawn(std::string_view what, io::Awaitable<void> work);
  void changed();  // to be kept, reported and planned anew
  void perform(const Action& action);
  void begin_pull(std::size_t container);
  io::Awaitable<void> prepare_sandbox();
  io::Awaitable<void> pull(std::size_t container);
  io::Awaitable<void> open_log(std::size_t container);
  io::Awaitable<void> start(std::size_t container);
  io::Awaitable<void> watch_exit(std::size_t container);
  io::Awaitable<void> check_health(std::size_t container);
  io::Awaitable<void> signal(std::size_t container, int signal_number);
  io::Awaitable<void> finish();
  io::Awaitable<void> release();
  io::Awaitable<void> keep_and_report();
  io::Awaitable<std::string> stats(std::size_t container);
  void fail(std::size_t container, std::string reason);
  void note_running(std::size_t container);
  void note_pulled();
  void begin_tail(std::size_t container);
  LogStream log_stream(std::size_t container) const;
  bool carries_logs(std::size_t container) const;

  DriverParts& parts_;
  const Intent intent_;
  Record record_;
  std::optional<Sandbox> sandbox_;
  std::vector<Work> work_;
  io::Bell bell_;
  bool dirty_ = false;
  bool preparing_ = false;
  bool finished_ = false;
  bool at_rest_ = false;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace sampan::node
