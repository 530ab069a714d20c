// The composition root: builds the parts in the order of the layers, wires them, serves until told to stop.
// The only place that knows them all.
#pragma once

#include <memory>

#include "daemon/options.h"

namespace sampan::daemon {

struct Parts;

class Daemon {
 public:
  // Probes the machine, takes the instance's lock, opens its data and binds its port. Throws core::Error with one
  // clear line that says what is in the way and how to mend it; nothing is changed on the machine then.
  explicit Daemon(Options options);
  ~Daemon();
  // Serves until SIGTERM or SIGINT: then stops accepting, finishes what is under way within 5 s and returns. Tasks and
  // load balancers go on.
  void run();

 private:
  Options options_;
  std::unique_ptr<Parts> parts_;
};

// Removes from the machine whatever the instance of these options left: containers, networks, load balancers, mounts;
// with `purge` its data as well. Works when the daemon is dead; throws core::Error while it lives.
void teardown(const Options& options);

// Reads every blob of the registry and prints what is damaged (ecr/fsck.h); true: nothing is. Throws core::Error while
// a daemon runs on the data.
bool fsck(const Options& options);

}  // namespace sampan::daemon
