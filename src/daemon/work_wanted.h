// What a request under /sampan/v1/ wants to do, in the words of policies. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sampan::daemon {

struct WorkWanted {
  std::string action;  // "sampan:Build"
  // What it does to repositories here beside: "ecr:PutImage" and the repository's name.
  std::vector<std::pair<std::string_view, std::string>> repositories;
};
WorkWanted work_wanted(std::string_view method, std::string_view path, std::string_view raw_query);

}  // namespace sampan::daemon
