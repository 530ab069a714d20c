// The HAProxy process: started, replaced without losing a request, stopped, found again after a restart of
// ours. Blocking: call on the blocking pool. One object at a time for a run directory.
//
//   <data-dir>/edge/haproxy.cfg     what it runs, or is about to
//   <run-dir>/edge/haproxy.pid      its process
//   <run-dir>/edge/old-<pid>.pid    those before it, which finish their last connections
//   <run-dir>/edge/admin-<n>.sock   each process has its own: one that is told to finish may take a last
//   command
//                                   from a socket that it shared with its successor
//   <run-dir>/edge/log.sock         the health log: ours to read
//
// A replacement is started with -x, so that it takes the listening sockets over, but not with -sf: if it
// cannot start (a port is taken), the old one has lost nothing. Only when it is up is the old one told to
// finish (SIGUSR1).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>

namespace sampan::elb {

struct EdgePaths {
  std::filesystem::path config;
  std::filesystem::path run;  // <run-dir>/edge
  std::filesystem::path pid() const { return run / "haproxy.pid"; }
  std::filesystem::path admin(int number) const;
  std::filesystem::path log() const { return run / "log.sock"; }
};
EdgePaths edge_paths(const std::filesystem::path& data_dir, const std::filesystem::path& run_dir);

class HaproxyProcess {
 public:
  HaproxyProcess(EdgePaths paths, std::string program)
      : paths_(std::move(paths)), program_(std::move(program)) {}

  // The process of the pid file, if it lives and is ours (its command line names our configuration file).
  std::optional<pid_t> running() const;

  struct Started {
    bool ok = false;
    std::set<int> taken_ports;  // that it could not listen on
    std::string error;          // its words
  };
  // Starts, or replaces the one that answers at `admin`; the configuration file is written already.
  Started start(const std::filesystem::path& admin);
  // The number of the running process's admin socket, if it answers.
  std::optional<int> admin_number() const;
  // Ends it at once, and those before it.
  void stop();
  // Forgets old processes that have ended, and their sockets.
  void forget_finished() const;

 private:
  EdgePaths paths_;
  std::string program_;
};

// Ports named by HAProxy's "cannot bind socket (…) for [127.0.0.1:80]".
std::set<int> parse_taken_ports(const std::string& output);

// Who listens on address:port, "nginx (pid 12)", or nothing when it is free for us to bind. Other faults (no
// permission) are told the same way, in words.
std::optional<std::string> port_trouble(const std::string& address, int port);

}  // namespace sampan::elb
