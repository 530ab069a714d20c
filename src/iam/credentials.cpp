#include "iam/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <mutex>

#include "aws/arn.h"
#include "core/encoding.h"

namespace sampan::iam {
namespace {

constexpr std::size_t kTokenDigits = 120;
// Expired rows cost only memory; looking for them is not done at every new session.
constexpr std::chrono::minutes kSweepEvery{1};
constexpr std::size_t kSweepAtMost = 200;  // rows of one transaction

bool is_account(std::string_view text) {
  return text.size() == 12 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

aws::Identity identity_of(const Session& session) {
  return {session.account, session.key.id,        session.key.secret,
          session.token,   session.principal_arn, session.expires};
}

}  // namespace

std::string root_arn(std::string_view account) {
  return fmt::format("arn:aws:iam::{}:root", account);
}

Keys::Keys(Mode mode, std::string account, AccessKey root)
    : mode_(mode), account_(std::move(account)), root_(std::move(root)) {
  add({account_, root_.id, root_.secret, {}, root_arn(account_), std::nullopt});
}

std::shared_ptr<const aws::Identity> Keys::lookup(std::string_view access_key) {
  {
    std::shared_lock lock(mutex_);
    if (const auto found = known_.find(access_key); found != known_.end()) return found->second;
  }
  if (mode_ == Mode::kVerified) return nullptr;
  std::string account = is_account(access_key) ? std::string(access_key) : account_;
  auto arn = root_arn(account);
  return std::make_shared<aws::Identity>(
      aws::Identity{std::move(account), std::string(access_key), {}, {}, std::move(arn), std::nullopt});
}

bool Keys::is_operator(std::string_view principal_arn) const {
  return mode_ == Mode::kOpen || principal_arn == root_arn(account_);
}

void Keys::add(aws::Identity identity) {
  auto shared = std::make_shared<const aws::Identity>(std::move(identity));
  std::unique_lock lock(mutex_);
  known_[shared->access_key] = shared;
}

void Keys::remove(const std::string& access_key) {
  std::unique_lock lock(mutex_);
  known_.erase(access_key);
}

Sessions::Sessions(store::Store& store, Keys& keys, GrantBook& grants, core::Clock& clock,
                   core::IdSource& ids)
    : store_(store), keys_(keys), grants_(grants), clock_(clock), ids_(ids), rows_(store, "/iam/sessions/") {
  for (const auto& [id, row] : rows_) publish(row.value);
  rows_.on_change([this](const std::string& id, const Session*, const Session* after) {
    if (after) {
      publish(*after);
    } else {
      keys_.remove(id);
      grants_.forget_session(id);
    }
  });
}

// What it is held to first: with the key it can be used.
void Sessions::publish(const Session& session) {
  if (!session.policy.empty() || !session.role_id.empty()) {
    SessionLimits limits{nullptr, session.role_id};
    if (!session.policy.empty()) {
      limits.policy = std::make_shared<const Policy>(parse_policy(session.policy, PolicyKind::kIdentity));
    }
    grants_.limit_session(session.key.id, std::move(limits));
  }
  keys_.add(identity_of(session));
}

boost::asio::awaitable<Session> Sessions::issue(Session asked, std::chrono::seconds lasts) {
  const auto now = clock_.now();
  auto session = std::move(asked);
  session.key = make_access_key(ids_, "ASIA");
  session.token = ids_.alphanumeric(kTokenDigits);
  // AWS's expirations are whole seconds.
  session.expires = std::chrono::floor<std::chrono::seconds>(now) + lasts;
  const auto gone = expired(now);
  co_await store::transact(store_, [&](store::Txn& tx) {
    for (const auto& id : gone) tx.erase(rows_, id);
    tx.put(rows_, session.key.id, session);
  });
  if (now - swept_ >= kSweepEvery) swept_ = now;
  co_return session;
}

std::vector<std::string> Sessions::expired(core::TimePoint now) const {
  std::vector<std::string> gone;
  if (now - swept_ < kSweepEvery) return gone;
  for (const auto& [id, row] : rows_) {
    if (row.value.expires <= now) gone.push_back(id);
    if (gone.size() >= kSweepAtMost) break;
  }
  return gone;
}

std::optional<std::string> assumed_role_arn(std::string_view role_arn, std::string_view session_name) {
  const auto arn = aws::Arn::parse(role_arn);
  if (!arn || arn->service != "iam" || !is_account(arn->account) || arn->resource_type() != "role") {
    return std::nullopt;
  }
  const auto name = aws::last_segment(arn->resource);  // without the role's path
  if (name.empty()) return std::nullopt;
  return fmt::format("arn:{}:sts::{}:assumed-role/{}/{}", arn->partition, arn->account, name, session_name);
}

std::string role_id(std::string_view account, std::string_view role_name) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const auto digest = core::hmac_sha256("role id", fmt::format("{}/{}", account, role_name));
  std::string id = "AROA";
  for (std::size_t i = 0; i < 17; ++i)
    id += kLetters[static_cast<unsigned char>(digest[i]) % kLetters.size()];
  return id;
}

}  // namespace sampan::iam

namespace sampan::store {

std::string RowCodec<iam::Session>::encode(const iam::Session& session) {
  boost::json::object row{{"id", session.key.id},
                          {"secret", session.key.secret},
                          {"token", session.token},
                          {"account", session.account},
                          {"principal", session.principal_arn},
                          {"expires", session.expires.time_since_epoch().count()}};
  if (!session.policy.empty()) row["policy"] = session.policy;
  if (!session.role_id.empty()) row["role"] = session.role_id;
  return boost::json::serialize(row);
}

iam::Session RowCodec<iam::Session>::decode(std::string_view text) {
  const auto parsed = boost::json::parse(text);
  const auto member = [&parsed](const char* name) { return std::string(parsed.at(name).as_string()); };
  const auto optional = [&parsed](const char* name) {
    const auto* value = parsed.as_object().if_contains(name);
    return value ? std::string(value->as_string()) : std::string();
  };
  return {{member("id"), member("secret")},
          member("token"),
          member("account"),
          member("principal"),
          core::TimePoint(core::Millis(parsed.at("expires").to_number<std::int64_t>())),
          optional("policy"),
          optional("role")};
}

}  // namespace sampan::store
