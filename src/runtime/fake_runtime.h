// A Runtime without processes, for tests of what stands above it: containers "run" until they are told to
// end. By convention of args: {"exit", "3"} ends at once with 3; {"missing"} cannot be created; anything
// else runs until a signal (SIGTERM ends it with 143 unless args[0] is "stubborn") or finish().
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "runtime/container.h"

namespace sampan::runtime {

class FakeRuntime final : public Runtime {
 public:
  FakeRuntime();
  ~FakeRuntime() override;

  void create(const ContainerSpec& spec, const std::filesystem::path& folder) override;
  void start(const ContainerRef& container) override;
  Observation observe(const ContainerRef& container) override;
  boost::asio::awaitable<std::optional<ExitStatus>> wait(ContainerRef container) override;
  void signal(const ContainerRef& container, int signal_number) override;
  void remove(const ContainerRef& container) override;
  std::vector<std::string> list() override;
  boost::asio::awaitable<ExecResult> exec(ContainerRef container, ExecRequest request) override;
  boost::asio::awaitable<std::unique_ptr<ExecSession>> open_exec(ContainerRef container,
                                                                 ProcessSpec process) override;

  // From the test: ends a running container.
  void finish(const std::string& id, int code, bool out_of_memory = false);
  // What exec() answers for args[0] from now on.
  void set_exec_result(const std::string& program, ExecResult result);
  std::optional<ContainerSpec> spec(const std::string& id) const;

 private:
  struct Entry;
  void end(Entry& entry, ExitStatus status);
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Entry>> containers_;
  std::map<std::string, ExecResult> exec_results_;
};

}  // namespace sampan::runtime
