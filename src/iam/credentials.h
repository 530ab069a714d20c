// The keys that callers may sign with: the root key, and the temporary sessions that STS and task roles give
// out.
//
// Keys answers on the network threads and is thread-safe. Sessions owns the stored rows and lives on the
// control strand; it tells Keys of each session that comes or goes.
#pragma once

#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aws/authentication.h"
#include "core/clock.h"
#include "core/random.h"
#include "iam/grants.h"
#include "iam/root_key.h"
#include "store/table.h"

namespace sampan::iam {

enum class Mode {
  kVerified,  // --auth sigv4: every signature is checked
  kOpen,      // --auth open: any key is taken; one of 12 digits names its account, as emulators have it
};

std::string root_arn(std::string_view account);  // "arn:aws:iam::000000000000:root"

class Keys final : public aws::Authenticator {
 public:
  Keys(Mode mode, std::string account, AccessKey root);

  std::shared_ptr<const aws::Identity> lookup(std::string_view access_key) override;
  bool verifies() const override { return mode_ == Mode::kVerified; }

  const std::string& account() const { return account_; }
  // A root user of the account that this Sampan was started with: its operator.
  bool is_operator(std::string_view principal_arn) const;
  const AccessKey& root() const { return root_; }
  void add(aws::Identity identity);
  void remove(const std::string& access_key);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  Mode mode_;
  std::string account_;
  AccessKey root_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const aws::Identity>, Hash, std::equal_to<>> known_;
};

// A temporary key, as it is stored under /iam/sessions/<access key>.
struct Session {
  AccessKey key;
  std::string token;
  std::string account;
  std::string principal_arn;  // "arn:aws:sts::…:assumed-role/NAME/SESSION"
  core::TimePoint expires{};
  std::string policy;   // a document that it is held to; empty: none
  std::string role_id;  // of a role that had been created; empty: of a user, or of a role nobody made
};

class Sessions {
 public:
  Sessions(store::Store& store, Keys& keys, GrantBook& grants, core::Clock& clock, core::IdSource& ids);

  // A new session, durable when this returns: `asked` says whose, and what it is held to. Forgets those that
  // have expired.
  boost::asio::awaitable<Session> issue(Session asked, std::chrono::seconds lasts);
  const Session* find(std::string_view access_key) const { return rows_.find(access_key); }
  std::size_t size() const { return rows_.size(); }

 private:
  std::vector<std::string> expired(core::TimePoint now) const;
  void publish(const Session& session);

  store::Store& store_;
  Keys& keys_;
  GrantBook& grants_;
  core::Clock& clock_;
  core::IdSource& ids_;
  store::Table<Session> rows_;
  core::TimePoint swept_{};
};

// "arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION" of a role's ARN, or nothing when it is no role's.
std::optional<std::string> assumed_role_arn(std::string_view role_arn, std::string_view session_name);
// "AROA…": the same for the same role, as if it had been made once.
std::string role_id(std::string_view account, std::string_view role_name);

}  // namespace sampan::iam

template <>
struct sampan::store::RowCodec<sampan::iam::Session> {
  static std::string encode(const iam::Session& session);
  static iam::Session decode(std::string_view text);
};
