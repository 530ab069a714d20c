// A further process in a running container. Without a terminal it is the OCI runtime's own `exec` as our
// child, with pipes (a health check: no monitor needed); with one it is conmon's, which hands over the
// terminal through a socket. Internal to runtime/.
#pragma once

#include <boost/json/object.hpp>

#include "io/executors.h"
#include "runtime/container.h"
#include "runtime/host.h"

namespace sampan::runtime {

// What every exec needs, gathered by OciRuntime.
struct ExecPlace {
  std::vector<std::string> runtime_command;  // program and global arguments but for --log
  ContainerRef container;
  std::filesystem::path folder;  // this exec's own, below the container's; removed afterwards
};

// `process` of the container's config.json with what `wanted` says put over it. Pure.
boost::json::object merge_exec_process(const boost::json::object& container_process,
                                       const boost::json::object& wanted, const ProcessSpec& spec);

boost::asio::awaitable<ExecResult> run_exec(io::Executors& executors, ExecPlace place,
                                            boost::json::object process, ExecRequest request);

}  // namespace sampan::runtime
