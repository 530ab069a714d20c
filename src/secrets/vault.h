// Secrets and their versions, encrypted at rest. The door for others in this process is find(); the Secrets
// Manager API is another user of it (secrets_api.h), and parameters may stand beside it.
//
// On the control strand. Rows in memory hold ciphertext only; a value is decrypted for the one who asks and
// nowhere kept. Without the key (lost file) everything but values works, and values say what is missing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/random.h"
#include "io/executors.h"
#include "secrets/key_file.h"
#include "secrets/rows.h"
#include "secrets/stages.h"
#include "store/table.h"

namespace sampan::secrets {

inline constexpr std::size_t kLargestValue = 65536;  // bytes

struct Scope {
  std::string account;
  std::string region;
  std::string key() const { return account + '/' + region + '/'; }
};

struct Value {
  std::string bytes;
  bool binary = false;  // given as SecretBinary
  bool operator==(const Value&) const = default;
};

// One version as it was found.
struct SecretValue {
  std::string arn;
  std::string name;
  std::string version;
  VersionRow row;
  Value value;
};

// A value cannot be decrypted: its key is gone or another, or the row has been changed.
class Unreadable : public core::Error {
 public:
  using core::Error::Error;
};

std::string arn_of(const Scope& scope, const SecretRow& secret);

class Vault {
 public:
  // Reads or makes the key in `data_dir`. Blocking: at start-up. Throws core::Error.
  Vault(io::Executors& executors, store::Store& store, core::Clock& clock, core::IdSource& ids,
        const std::filesystem::path& data_dir);

  // The secret of a name, an ARN, or an ARN without its suffix; nullptr when there is none. One that waits
  // for its deletion is found.
  const SecretRow* find_secret(const Scope& scope, std::string_view id) const;
  // A value: of a version, of a label (default AWSCURRENT), or of a version that must have the label. Nothing
  // when there is no such secret or version, or it waits for its deletion. Throws Unreadable.
  std::optional<SecretValue> find(const Scope& scope, std::string_view id, std::string_view version = {},
                                  std::string_view stage = {}) const;
  // Nothing when that version of the secret is not there. Throws Unreadable.
  std::optional<SecretValue> read(const Scope& scope, const SecretRow& secret,
                                  const std::string& version) const;
  const store::Table<SecretRow>& secrets() const { return secrets_; }
  // Why values cannot be sealed or opened; empty when they can.
  const std::string& problem() const { return problem_; }

  // Makes or changes a secret, in one transaction: `change` is given the row as it is (nothing: absent) and
  // returns it as it shall be (nothing: gone). Values of versions that `value` names are written with it,
  // those of versions that are no longer there go. It may be run again and may throw. Durable when it
  // returns.
  struct NewValue {
    std::string version;
    Value value;
  };
  using Change = std::function<std::optional<SecretRow>(std::optional<SecretRow> had)>;
  io::Awaitable<void> change(Scope scope, std::string name, Change change,
                             std::optional<NewValue> value = {});
  std::string new_suffix() { return ids_.alphanumeric(6); }
  std::string new_version() { return ids_.uuid(); }
  // Remembers, at most once a day, that a value was read.
  void note_access(const Scope& scope, const std::string& name, const std::string& version);

  // Removes what has waited long enough for its deletion; for ever.
  io::Awaitable<void> keep_deletions();
  io::Awaitable<void> delete_due();

 private:
  std::string value_key(const Scope& scope, const SecretRow& secret, const std::string& version) const;
  ValueRow seal_value(const std::string& key, const Value& value) const;
  io::Awaitable<void> write_access(Scope scope, std::string name, std::string version);

  io::Executors& executors_;
  store::Store& store_;
  core::Clock& clock_;
  core::IdSource& ids_;
  store::Table<SecretRow> secrets_;
  store::Table<ValueRow> values_;
  std::string problem_;
  std::optional<SealingKey> key_;
};

}  // namespace sampan::secrets
