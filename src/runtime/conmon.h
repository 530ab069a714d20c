// Starting conmon, the monitor of one container. Internal to runtime/; blocking.
#pragma once

#include <string>
#include <vector>

#include "runtime/container_files.h"
#include "runtime/host.h"

namespace sampan::runtime {

struct MonitorRequest {
  std::string id;
  std::filesystem::path socket_directory;  // short: Unix socket names have 107 characters
  std::vector<std::string> runtime_arguments;
  bool terminal = false;
  bool keep_stdin_open = false;
};

// Has conmon create the container of `files`' bundle. Throws core::Error with the runtime's reason.
ContainerProcesses start_monitor(const Host& host, const ContainerFiles& files,
                                 const MonitorRequest& request);

}  // namespace sampan::runtime
