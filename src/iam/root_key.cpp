#include "iam/root_key.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "io/file.h"

namespace sampan::iam {
namespace {

constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kSecretDigits = 40;
constexpr std::size_t kFileLimit = 64 * 1024;

}  // namespace

AccessKey make_access_key(core::IdSource& ids, std::string_view prefix) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";  // as AWS's key ids
  std::string id(prefix);
  for (std::size_t i = 0; i < kIdDigits; ++i) id += kLetters[ids.next() % kLetters.size()];
  return {std::move(id), ids.alphanumeric(kSecretDigits)};
}

std::string render_credentials_file(const AccessKey& key) {
  return fmt::format("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
}

std::optional<AccessKey> parse_credentials_file(std::string_view text) {
  AccessKey key;
  bool in_default = false;
  for (const auto& raw : core::split(text, '\n')) {
    const auto line = core::trim(raw);
    if (line.starts_with('[')) in_default = line == "[default]";
    const auto equals = line.find('=');
    if (!in_default || equals == std::string_view::npos || line.starts_with('#')) continue;
    const auto name = core::trim(line.substr(0, equals));
    const auto value = core::trim(line.substr(equals + 1));
    if (name == "aws_access_key_id") key.id = value;
    if (name == "aws_secret_access_key") key.secret = value;
  }
  if (key.id.empty() || key.secret.empty()) return std::nullopt;
  return key;
}

AccessKey load_or_make_root_key(const std::filesystem::path& data_dir, core::IdSource& ids) {
  const auto path = data_dir / "credentials";
  if (const auto text = io::read_file_if_exists(path, kFileLimit)) {
    // A restored backup may have lost its mode; the key is nobody else's to read.
    std::error_code ignored;
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
    if (auto key = parse_credentials_file(*text)) return std::move(*key);
    throw core::Error(
        fmt::format("read the root key from {}", path.string()),
        "it has no aws_access_key_id and aws_secret_access_key under [default]; mend or remove it");
  }
  auto key = make_access_key(ids, "AKIA");
  io::replace_file(path, render_credentials_file(key), io::Durability::kFlushed, 0600);
  return key;
}

}  // namespace sampan::iam
