// The task's metadata endpoint.
#include <boost/json.hpp>

#include "core/error.h"
#include "node/driver.h"
#include "node/metadata.h"

namespace sampan::node {
namespace {

http::Response json_response(int status, std::string body) {
  return http::Response::text(status, std::move(body), "application/json");
}

http::Response not_found(std::string_view path) {
  auto text =
      fmt::format("V4 container metadata handler: unable to get container ID from request: '{}'", path);
  return json_response(404, boost::json::serialize(boost::json::string(text)));
}

InterfaceUsage no_traffic() {
  return {};
}

}  // namespace

io::Awaitable<std::string> Driver::stats(std::size_t container) {
  auto self = shared_from_this();
  if (record_.containers[container].facts.stage != Stage::kRunning) co_return "";
  auto usage = co_await io::offload(
      parts_.executors,
      [self, path = parts_.launcher.cgroup(intent_, container)] { return self->parts_.cgroups.usage(path); });
  co_return render_stats(intent_.runtime_ids[container], intent_.assignment.containers[container].name, usage,
                         no_traffic(), parts_.clock.now());
}

io::Awaitable<http::Response> Driver::answer(std::string path) {
  auto self = shared_from_this();
  auto query = parse_metadata_path(path);
  if (!query) co_return not_found(path);
  if (query->kind == MetadataKind::kCredentials) {
    std::optional<std::string> credentials;
    if (query->id == intent_.credentials_id && parts_.credentials) {
      credentials = co_await parts_.credentials(intent_.assignment);
    }
    if (credentials) co_return json_response(200, std::move(*credentials));
    co_return json_response(
        400,
        R"({"code":"InvalidIdInRequest","message":"CredentialsV2Request: Credentials not found","HTTPErrorCode":400})");
  }
  auto found = std::find(intent_.runtime_ids.begin(), intent_.runtime_ids.end(), query->id);
  if (found == intent_.runtime_ids.end()) co_return not_found(path);
  auto container = static_cast<std::size_t>(found - intent_.runtime_ids.begin());
  switch (query->kind) {
    case MetadataKind::kTask:
    case MetadataKind::kTaskWithTags:
      co_return json_response(200, render_task_metadata(intent_, record_, parts_.clock.now(),
                                                        query->kind == MetadataKind::kTaskWithTags));
    case MetadataKind::kStats: {
      auto text = co_await stats(container);
      co_return json_response(200, text.empty() ? "null" : text);
    }
    case MetadataKind::kTaskStats: {
      std::vector<std::pair<std::string, std::string>> all;
      for (std::size_t i = 0; i < work_.size(); ++i) {
        auto text = co_await stats(i);
        all.emplace_back(intent_.runtime_ids[i], std::move(text));
      }
      co_return json_response(200, render_task_stats(all));
    }
    default:
      co_return json_response(200, render_container_metadata(intent_, record_, container));
  }
}

}  // namespace sampan::node
