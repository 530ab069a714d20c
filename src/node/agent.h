// The node's agent: the Link's other end. Keeps a Driver for each task it was told of and adopts them all
// again at start. Knows one task no better than another: what a task needs is the driver's.
//
// On the control strand throughout. Before it is destroyed, the executors must have stopped and the blocking
// pool been joined; tasks run on.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "core/clock.h"
#include "core/random.h"
#include "http/server.h"
#include "node/driver.h"
#include "node/file_watch.h"
#include "node/launcher.h"
#include "node/link.h"

namespace sampan::node {

struct AgentOptions {
  std::filesystem::path data_dir;  // absolute; containers/ is ours
  std::string instance;            // 4 hex digits
  // Falls back to kNever, with a word in the log, where the machine cannot.
  UserNamespaces user_namespaces = UserNamespaces::kFargate;
};

// All must outlive the agent.
struct AgentParts {
  io::Executors& executors;
  const core::Clock& clock;
  core::IdSource& ids;
  image::Images& images;
  runtime::Runtime& runtime;
  const runtime::Cgroups& cgroups;
  Network& network;
  LogSink* logs = nullptr;
  http::Server* endpoint = nullptr;  // any server: only its adopt_listener is used
  Credentials credentials;
};

class Agent final : public Link {
 public:
  Agent(AgentParts parts, AgentOptions options);
  ~Agent() override;

  void on_report(ReportHandler handler) override;
  // Once, after on_report() and before anything else: adopts what is there. Reports follow.
  io::Awaitable<void> start();
  io::Awaitable<void> assign(TaskAssignment assignment) override;
  io::Awaitable<void> stop(std::string task_id) override;
  io::Awaitable<void> forget(std::string task_id) override;
  std::vector<TaskReport> reports() const override;
  // The images (their own manifests) of every container whose task has not ended: collection leaves them
  // alone.
  std::vector<image::Digest> images_in_use() const;

  // Of a running container, for exec; nothing when it does not run.
  std::optional<runtime::ContainerRef> container(const std::string& task_id, const std::string& name) const;
  runtime::Runtime& runtime() { return parts_.runtime; }

 private:
  void deliver(const TaskReport& report);
  void begin(Intent intent, Record record, std::optional<Sandbox> sandbox);
  io::Awaitable<void> maintain_network();
  io::Awaitable<void> open_endpoint(NetworkAssignment network);
  io::Awaitable<http::Response> answer(std::string vpc_id, std::string address, std::string path);

  AgentParts parts_;
  const AgentOptions options_;
  ReportHandler handler_;
  Launcher launcher_;
  FileWatch watch_;
  DriverParts driver_parts_;
  std::set<std::string> endpoints_;                         // VPCs
  std::map<std::string, std::shared_ptr<Driver>> drivers_;  // shared with their own coroutines
};

// True when a user namespace with mapped layers can be made and its root can reach `data_dir`. Blocking.
bool user_namespaces_work(const std::filesystem::path& data_dir);

}  // namespace sampan::node
