// The task metadata endpoint's answers (version 4) as ECS gives them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "node/record.h"
#include "runtime/cgroup.h"

namespace sampan::node {

inline constexpr char kEndpoint[] = "http://169.254.170.2";

// The variables that ECS adds to a container's environment (AWS-SEMANTICS A30).
std::vector<std::pair<std::string, std::string>> injected_environment(const Intent& intent,
                                                                      std::size_t container,
                                                                      bool credentials);

enum class MetadataKind { kContainer, kTask, kTaskWithTags, kStats, kTaskStats, kCredentials };

struct MetadataQuery {
  MetadataKind kind = MetadataKind::kContainer;
  std::string id;  // of the container, or of the credentials
};

// "/v4/ID", "/v4/ID/task", "/v4/ID/stats", "/v3/…", "/v2/credentials/ID"; nothing for any other path.
std::optional<MetadataQuery> parse_metadata_path(std::string_view path);

std::string render_container_metadata(const Intent& intent, const Record& record, std::size_t container);
std::string render_task_metadata(const Intent& intent, const Record& record, core::TimePoint now,
                                 bool with_tags);

struct InterfaceUsage {
  std::uint64_t received_bytes = 0;
  std::uint64_t received_packets = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_packets = 0;
};
// Docker's stats, of one container.
std::string render_stats(const std::string& id, const std::string& name, const runtime::CgroupUsage& usage,
                         const InterfaceUsage& network, core::TimePoint now);
// {id: stats or null}
std::string render_task_stats(const std::vector<std::pair<std::string, std::string>>& stats_by_id);

}  // namespace sampan::node
