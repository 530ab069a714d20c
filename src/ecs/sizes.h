// Sizes of tasks: the units a task definition may write them in, and the pairs Fargate has. Pure.
#pragma once

#include <optional>
#include <string_view>

namespace sampan::ecs {

// "256", "1 vCPU", ".25 vcpu" → CPU units (1024 a core). Nothing: not a size.
std::optional<int> parse_cpu(std::string_view text);
// "512", "1GB", "0.5 GB" → MiB.
std::optional<int> parse_memory(std::string_view text);
// Whether Fargate offers this pair (74 do).
bool is_fargate_size(int cpu, int memory_mib);

}  // namespace sampan::ecs
