#include <atomic>
#include <boost/json.hpp>

#include "core/error.h"
#include "runtime/bundle.h"
#include "runtime/container_files.h"
#include "runtime/exec.h"
#include "runtime/oci_runtime.h"

namespace sampan::runtime {
namespace {

namespace json = boost::json;

std::atomic<unsigned> exec_number{0};

// The process to run, from the container's own bundle. Blocking.
json::object exec_process(const Host& host, const ContainerRef& container, const ProcessSpec& spec) {
  const ContainerFiles files(container);
  const json::value config = json::parse(io::read_file(files.config()));
  const auto& process = config.as_object().at("process").as_object();
  const std::filesystem::path rootfs(std::string(config.at("root").at("path").as_string()));
  const ResolvedUser user = resolve_user_in(rootfs, spec.user, spec.additional_groups);
  return merge_exec_process(process, render_process(ContainerSpec{}, spec, user, host), spec);
}

}  // namespace

boost::asio::awaitable<ExecResult> OciRuntime::exec(ContainerRef container, ExecRequest request) {
  if (observe(container).state != ContainerState::kRunning) {
    throw core::Error("container " + container.id + " is not running");
  }
  const auto prepare = [this, &container, &request] {
    return exec_process(host_, container, request.process);
  };
  json::object process = co_await io::offload(executors_, prepare);
  ExecPlace place;
  place.runtime_command = {host_.runtime.string(), "--root=" + state_root().string()};
  place.container = container;
  place.folder = container.folder / fmt::format("exec-{}", exec_number++);
  co_return co_await run_exec(executors_, std::move(place), std::move(process), std::move(request));
}

boost::asio::awaitable<std::unique_ptr<ExecSession>> OciRuntime::open_exec(ContainerRef container,
                                                                           ProcessSpec) {
  throw core::Error("open a terminal in container " + container.id, "not offered by this runtime");
  co_return nullptr;
}

}  // namespace sampan::runtime
