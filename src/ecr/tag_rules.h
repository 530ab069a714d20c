// Whether a tag may be moved: a repository's mutability and its exclusion filters. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ecr/rows.h"

namespace sampan::ecr {

// True when `tag`, once given, stays with its image.
bool is_immutable(const RepositoryRow& repository, std::string_view tag);

// What is wrong with a mutability setting, in ECR's words; nothing when it is good.
std::optional<std::string> check_mutability(std::string_view mutability,
                                            const std::vector<std::string>& filters);

}  // namespace sampan::ecr
