#include "secrets/vault.h"

#include <fmt/core.h>

#include "aws/arn.h"
#include "core/encoding.h"
#include "core/log.h"
#include "io/executors.h"
#include "secrets/seal.h"

namespace sampan::secrets {
namespace {

constexpr std::size_t kSuffix = 7;       // "-AbCdEf"
constexpr std::size_t kNameInKey = 400;  // a store's key has 1 KiB
constexpr std::chrono::hours kSweep{1};

core::TimePoint day_of(core::TimePoint time) {
  return std::chrono::floor<std::chrono::days>(time);
}

}  // namespace

std::string arn_of(const Scope& scope, const SecretRow& secret) {
  return aws::make_arn("secretsmanager", scope.region, scope.account,
                       "secret:" + secret.name + '-' + secret.suffix);
}

Vault::Vault(io::Executors& executors, store::Store& store, core::Clock& clock, core::IdSource& ids,
             const std::filesystem::path& data_dir)
    : executors_(executors),
      store_(store),
      clock_(clock),
      ids_(ids),
      secrets_(store, "/secrets/secrets/"),
      values_(store, "/secrets/values/"),
      key_(load_or_make_key(data_dir, ids, values_.size() == 0 ? KeyUse::kFirst : KeyUse::kHasSealed,
                            problem_)) {
  if (!key_) core::log::error("secrets cannot be read or written: {}", problem_);
}

const SecretRow* Vault::find_secret(const Scope& scope, std::string_view id) const {
  if (!id.starts_with("arn:")) return secrets_.find(scope.key() + std::string(id));
  const auto arn = aws::Arn::parse(id);
  constexpr std::string_view kType = "secret:";
  if (!arn || arn->service != "secretsmanager" || arn->account != scope.account ||
      arn->region != scope.region || !arn->resource.starts_with(kType)) {
    return nullptr;
  }
  const auto name = arn->resource.substr(kType.size());
  if (name.size() > kSuffix) {
    const auto* secret = secrets_.find(scope.key() + name.substr(0, name.size() - kSuffix));
    if (secret && name == secret->name + '-' + secret->suffix) return secret;
  }
  return secrets_.find(scope.key() + name);
}

// Names may be longer than fits twice into a key.
std::string Vault::value_key(const Scope& scope, const SecretRow& secret, const std::string& version) const {
  const auto name = secret.name.size() <= kNameInKey ? secret.name : core::sha256_hex(secret.name);
  return fmt::format("{}{}-{}/{}", scope.key(), secret.suffix, name, version);
}

ValueRow Vault::seal_value(const std::string& key, const Value& value) const {
  if (!key_) throw Unreadable(problem_);
  return {seal(key_->bytes, (value.binary ? 'b' : 's') + value.bytes, key), key_->id};
}

std::optional<SecretValue> Vault::read(const Scope& scope, const SecretRow& secret,
                                       const std::string& version) const {
  const auto found = secret.versions.find(version);
  const auto key = value_key(scope, secret, version);
  const auto* row = values_.find(key);
  if (found == secret.versions.end() || !row) return std::nullopt;
  if (!key_) throw Unreadable(problem_);
  if (row->key_id != key_->id) {
    throw Unreadable(fmt::format("the secret {} was encrypted with key {}, but secrets.key holds key {}",
                                 secret.name, row->key_id, key_->id));
  }
  auto plain = unseal(key_->bytes, row->sealed, key);
  if (!plain || plain->empty()) {
    throw Unreadable(
        fmt::format("the value of the secret {} has been damaged: it does not decrypt", secret.name));
  }
  const bool binary = plain->front() == 'b';
  return SecretValue{arn_of(scope, secret), secret.name, version, found->second, {plain->substr(1), binary}};
}

std::optional<SecretValue> Vault::find(const Scope& scope, std::string_view id, std::string_view version,
                                       std::string_view stage) const {
  const auto* secret = find_secret(scope, id);
  if (!secret || secret->goes) return std::nullopt;
  auto wanted = std::string(version);
  if (wanted.empty()) wanted = version_with(*secret, stage.empty() ? kCurrent : std::string(stage));
  const auto found = secret->versions.find(wanted);
  if (found == secret->versions.end()) return std::nullopt;
  if (!version.empty() && !stage.empty() && !found->second.stages.contains(std::string(stage)))
    return std::nullopt;
  return read(scope, *secret, wanted);
}

io::Awaitable<void> Vault::change(Scope scope, std::string name, Change change,
                                  std::optional<NewValue> value) {
  const auto key = scope.key() + name;
  co_await store::transact(store_, [&](store::Txn& tx) {
    const auto had = tx.get(secrets_, key);
    const auto now = change(had);
    if (had) {
      for (const auto& [version, row] : had->versions) {
        const bool stays = now && now->suffix == had->suffix && now->versions.contains(version);
        if (!stays) tx.erase(values_, value_key(scope, *had, version));
      }
    }
    if (!now) {
      if (had) tx.erase(secrets_, key);
      return;
    }
    if (!had || *now != *had) tx.put(secrets_, key, *now);
    if (value && now->versions.contains(value->version) && !(had && had->versions.contains(value->version))) {
      const auto place = value_key(scope, *now, value->version);
      tx.put(values_, place, seal_value(place, value->value));
    }
  });
}

void Vault::note_access(const Scope& scope, const std::string& name, const std::string& version) {
  const auto* secret = secrets_.find(scope.key() + name);
  const auto today = day_of(clock_.now());
  const auto found =
      secret ? secret->versions.find(version) : std::map<std::string, VersionRow>::const_iterator();
  if (!secret || found == secret->versions.end() || found->second.accessed == today) return;
  io::spawn_detached(executors_.control(), "note that a secret was read", write_access(scope, name, version));
}

io::Awaitable<void> Vault::write_access(Scope scope, std::string name, std::string version) {
  const auto today = day_of(clock_.now());
  co_await change(std::move(scope), std::move(name), [&](std::optional<SecretRow> row) {
    if (!row || !row->versions.contains(version)) return row;
    row->accessed = today;
    row->versions[version].accessed = today;
    return row;
  });
}

io::Awaitable<void> Vault::delete_due() {
  std::vector<std::string> due;
  for (const auto& [key, row] : secrets_) {
    if (row.value.goes && *row.value.goes <= clock_.now()) due.push_back(key);
  }
  for (const auto& key : due) {
    const auto first = key.find('/');
    const auto second = key.find('/', first + 1);
    const Scope scope{key.substr(0, first), key.substr(first + 1, second - first - 1)};
    co_await change(scope, key.substr(second + 1), [this](std::optional<SecretRow> row) {
      if (row && row->goes && *row->goes <= clock_.now()) row.reset();
      return row;
    });
  }
}

io::Awaitable<void> Vault::keep_deletions() {
  while (true) {
    co_await delete_due();
    co_await io::sleep_for(kSweep);
  }
}

}  // namespace sampan::secrets
