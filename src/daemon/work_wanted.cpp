#include "daemon/work_wanted.h"

#include "http/message.h"
#include "image/reference.h"

namespace sampan::daemon {
namespace {

struct Known {
  std::string_view method;
  std::string_view path;  // one that ends with '/' stands for all below it
  std::string_view action;
  std::string_view writes;  // the query's parameter that names what is tagged here
  std::string_view reads;
};

constexpr Known kKnown[] = {
    {"POST", "/sampan/v1/build", "sampan:Build", "t", ""},
    {"GET", "/sampan/v1/build/", "sampan:GetBuild", "", ""},
    {"DELETE", "/sampan/v1/build/", "sampan:CancelBuild", "", ""},
    {"POST", "/sampan/v1/images/bootstrap", "sampan:BootstrapImage", "name", ""},
    {"POST", "/sampan/v1/images/import", "sampan:ImportImage", "t", ""},
    {"POST", "/sampan/v1/images/pull", "sampan:PullImage", "name", ""},
    {"POST", "/sampan/v1/images/push", "sampan:PushImage", "", "name"},
    {"GET", "/sampan/v1/inventory", "sampan:GetInventory", "", "repository"},
};

bool fits(const Known& known, std::string_view method, std::string_view path) {
  if (known.method != method) return false;
  return known.path.ends_with('/') ? path.starts_with(known.path) : path == known.path;
}

}  // namespace

WorkWanted work_wanted(std::string_view method, std::string_view path, std::string_view raw_query) {
  WorkWanted wanted{"sampan:Administer", {}};  // collection and whatever is not in the table
  for (const auto& known : kKnown) {
    if (!fits(known, method, path)) continue;
    wanted.action = known.action;
    for (const auto& [name, value] : http::parse_query(raw_query)) {
      const auto reference = image::Reference::parse(value);
      if (!reference || name.empty()) continue;
      if (name == known.writes) wanted.repositories.emplace_back("ecr:PutImage", reference->repository);
      if (name == known.reads) wanted.repositories.emplace_back("ecr:BatchGetImage", reference->repository);
    }
    break;
  }
  return wanted;
}

}  // namespace sampan::daemon
