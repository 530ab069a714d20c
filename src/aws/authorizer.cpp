#include "aws/authorizer.h"

namespace sampan::aws {
namespace {

struct Found {
  const Shape* shape = nullptr;
  const void* value = nullptr;
};

Found find(const Shape& shape, const void* input, std::string_view name) {
  for (const auto& member : shape.members) {
    if (member.name == name) return {member.shape, get(member, input)};
  }
  return {};
}

}  // namespace

Fault access_denied(Protocol protocol, const std::string& message) {
  switch (protocol) {
    case Protocol::kJson:
      return Fault("AccessDeniedException", 400, message);
    case Protocol::kEc2:
      return Fault("UnauthorizedOperation", 403,
                   "You are not authorized to perform this operation. " + message);
    case Protocol::kQuery:
      break;
  }
  return Fault("AccessDenied", 403, message);
}

const std::string* text_member(const Shape& shape, const void* input, std::string_view name) {
  const auto found = find(shape, input, name);
  if (!found.value || found.shape->kind != Kind::kString) return nullptr;
  return static_cast<const std::string*>(found.value);
}

std::vector<std::string> text_list_member(const Shape& shape, const void* input, std::string_view name) {
  std::vector<std::string> texts;
  const auto found = find(shape, input, name);
  if (!found.value || found.shape->kind != Kind::kList || found.shape->element->kind != Kind::kString)
    return texts;
  const auto& list = *found.shape->list;
  for (std::size_t i = 0; i < list.size(found.value); ++i) {
    texts.push_back(*static_cast<const std::string*>(list.at(found.value, i)));
  }
  return texts;
}

}  // namespace sampan::aws
