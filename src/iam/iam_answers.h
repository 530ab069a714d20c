// How IAM's rows look in its answers, and the pages of its lists. Pure. Part of the iam_*.cpp files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/iam.h"
#include "aws/paging.h"
#include "core/encoding.h"
#include "iam/iam_rows.h"
#include "iam/policy.h"

namespace sampan::iam {

api::iam::User show_user(std::string_view account, const Entity& user);
api::iam::Group show_group(std::string_view account, const Entity& group);
api::iam::Role show_role(std::string_view account, const Entity& role);

// Documents travel percent-encoded in IAM's answers.
inline std::string show_document(std::string_view document) {
  return core::percent_encode(document);
}

// Throws MalformedPolicyDocument.
void check_document(std::string_view document, PolicyKind kind);
// Characters that count towards a policy's quota: all but white space.
std::size_t policy_size(std::string_view document);
void check_new_tags(const std::vector<api::iam::Tag>& tags, const aws::Tags& had);
void refuse_boundary(const std::optional<std::string>& arn);

// One page of `In`'s list: calls `add(item)` for those that belong to it and fills Marker and IsTruncated.
template <class In, class Out, class Items, class KeyOf, class Add>
void page_of(const In& in, Out& out, const Items& items, std::string_view question, KeyOf key_of, Add add) {
  auto page = aws::Page::of(in.MaxItems, in.Marker, {.most = 1000, .by_default = 100}, question);
  if (!page) throw aws::Fault("ValidationError", 400, "Invalid Marker.");
  for (const auto& item : items) {
    const std::string key = key_of(item);
    if (key <= page->after() && !page->after().empty()) continue;
    if (!page->take(key)) break;
    add(item);
  }
  out.Marker = page->next_token();
  out.IsTruncated = out.Marker.has_value();
}

// The entities of an account under a path, in the order of their names.
std::vector<const Entity*> entities_of(const store::Table<Entity>& table, std::string_view account,
                                       const std::optional<std::string>& path);
std::string key_of_entity(const Entity* entity);

}  // namespace sampan::iam
