// The IAM API: access keys of users.
#include <fmt/core.h>

#include "iam/iam_answers.h"
#include "iam/iam_api.h"

namespace sampan::iam {
namespace {

namespace api = sampan::api::iam;

std::string status_of(const UserKey& key) {
  return key.active ? "Active" : "Inactive";
}

}  // namespace

IamApi::Answer<api::CreateAccessKeyOutput> IamApi::CreateAccessKey(const aws::Call& call,
                                                                   api::CreateAccessKeyInput in) {
  const auto name = user_named(call, in.UserName);
  UserKey key{.key = make_access_key(ids_, "AKIA"),
              .account = call.account,
              .user = directory_.get(EntityKind::kUser, call.account, name).name,
              .created = std::chrono::floor<std::chrono::seconds>(call.now)};
  co_await directory_.add_key(key);
  co_return api::CreateAccessKeyOutput{.AccessKey = {.UserName = key.user,
                                                     .AccessKeyId = key.key.id,
                                                     .Status = status_of(key),
                                                     .SecretAccessKey = key.key.secret,
                                                     .CreateDate = key.created}};
}

IamApi::Answer<api::ListAccessKeysOutput> IamApi::ListAccessKeys(const aws::Call& call,
                                                                 api::ListAccessKeysInput in) {
  api::ListAccessKeysOutput out;
  const auto& user = directory_.get(EntityKind::kUser, call.account, user_named(call, in.UserName));
  const auto keys = directory_.keys_of(call.account, user.name);
  page_of(
      in, out, keys, "ListAccessKeys:" + user.name, [](const UserKey* key) { return key->key.id; },
      [&](const UserKey* key) {
        out.AccessKeyMetadata.push_back({.UserName = key->user,
                                         .AccessKeyId = key->key.id,
                                         .Status = status_of(*key),
                                         .CreateDate = key->created});
      });
  co_return out;
}

IamApi::Answer<api::UpdateAccessKeyOutput> IamApi::UpdateAccessKey(const aws::Call& call,
                                                                   api::UpdateAccessKeyInput in) {
  if (in.Status != "Active" && in.Status != "Inactive") {
    throw aws::Fault("ValidationError", 400, "Status must be Active or Inactive");
  }
  const auto name = user_named(call, in.UserName);
  co_await directory_.set_key_active(call.account, name, in.AccessKeyId, in.Status == "Active");
  co_return api::UpdateAccessKeyOutput{};
}

IamApi::Answer<api::DeleteAccessKeyOutput> IamApi::DeleteAccessKey(const aws::Call& call,
                                                                   api::DeleteAccessKeyInput in) {
  const auto name = user_named(call, in.UserName);
  co_await directory_.remove_key(call.account, name, in.AccessKeyId);
  co_return api::DeleteAccessKeyOutput{};
}

IamApi::Answer<api::GetAccessKeyLastUsedOutput> IamApi::GetAccessKeyLastUsed(
    const aws::Call& call, api::GetAccessKeyLastUsedInput in) {
  const auto* key = directory_.keys().find(in.AccessKeyId);
  if (!key || key->account != call.account) {
    throw api::NoSuchEntityException(
        fmt::format("The Access Key with id {} cannot be found.", in.AccessKeyId));
  }
  api::GetAccessKeyLastUsedOutput out;
  out.UserName = key->user;
  auto& used = out.AccessKeyLastUsed.emplace();
  used.ServiceName = "N/A";
  used.Region = "N/A";
  co_return out;
}

}  // namespace sampan::iam
