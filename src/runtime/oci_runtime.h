// The real Runtime: conmon and an OCI runtime (runc, crun, runsc). See container.h for the contract.
#pragma once

#include "io/executors.h"
#include "runtime/container.h"
#include "runtime/host.h"
#include "runtime/migration_warmth.h"

namespace sampan::runtime {

class OciRuntime final : public Runtime {
 public:
  // `root` is the runtime's own state (<run-dir>/runtime): absolute, short, gone after a reboot.
  OciRuntime(io::Executors& executors, Host host, std::filesystem::path root);

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

 private:
  std::filesystem::path state_root() const;
  std::vector<std::string> global_arguments(const std::filesystem::path& log) const;
  std::vector<std::string> command(const std::filesystem::path& log, std::vector<std::string> rest) const;

  io::Executors& executors_;
  Host host_;
  std::filesystem::path root_;
  MigrationWarmth warmth_;
};

// The cause in what an OCI runtime or conmon said: its JSON log, prefixes and quoting taken off, crun's
// words turned into runc's. Pure.
std::string explain_runtime_failure(std::string_view said);

}  // namespace sampan::runtime
