#include "secrets/key_file.h"

#include <fmt/core.h>

#include "core/encoding.h"
#include "core/error.h"
#include "core/text.h"
#include "io/file.h"

namespace sampan::secrets {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kFileLimit = 4096;

SealingKey key_of(std::string bytes) {
  auto id = core::sha256_hex("sampan secrets key " + bytes).substr(0, 16);
  return {std::move(bytes), std::move(id)};
}

}  // namespace

std::string render_key_file(const SealingKey& key) {
  return "# Encrypts the secrets of this data directory. Without it they cannot be read: keep it with your "
         "backups,\n"
         "# and apart from them where they must not be readable.\n" +
         core::to_hex(key.bytes) + "\n";
}

std::optional<SealingKey> parse_key_file(std::string_view text) {
  for (const auto& raw : core::split(text, '\n')) {
    const auto line = core::trim(raw);
    if (line.empty() || line.starts_with('#')) continue;
    auto bytes = core::from_hex(line);
    if (!bytes || bytes->size() != kKeyBytes) return std::nullopt;
    return key_of(std::move(*bytes));
  }
  return std::nullopt;
}

SealingKey make_key(core::IdSource& ids) {
  return key_of(core::from_hex(ids.hex(2 * kKeyBytes)).value_or(std::string()));
}

std::optional<SealingKey> load_or_make_key(const std::filesystem::path& data_dir, core::IdSource& ids,
                                           KeyUse use, std::string& problem) {
  const auto path = data_dir / "secrets.key";
  if (const auto text = io::read_file_if_exists(path, kFileLimit)) {
    // A restored backup may have lost its mode.
    std::error_code ignored;
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
    auto key = parse_key_file(*text);
    if (!key) problem = fmt::format("{} holds no key (64 hex digits)", path.string());
    return key;
  }
  if (use == KeyUse::kHasSealed) {
    problem = fmt::format(
        "the key file {} is gone: the secrets are still there, encrypted; put the file back from a backup "
        "and restart",
        path.string());
    return std::nullopt;
  }
  auto key = make_key(ids);
  io::replace_file(path, render_key_file(key), io::Durability::kFlushed, 0600);
  return key;
}

}  // namespace sampan::secrets
