// The root access key of an instance: made at its first start and kept in <data-dir>/credentials (mode 0600),
// in the form of the AWS tools' credentials file, so that AWS_SHARED_CREDENTIALS_FILE can point at it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/random.h"

namespace sampan::iam {

struct AccessKey {
  std::string id;      // "AKIA…", 20 characters
  std::string secret;  // 40 characters
};

// `prefix` is "AKIA" for long-lived keys and "ASIA" for temporary ones.
AccessKey make_access_key(core::IdSource& ids, std::string_view prefix);

std::string render_credentials_file(const AccessKey& key);
// The [default] section's key; nothing when it has none.
std::optional<AccessKey> parse_credentials_file(std::string_view text);

// Reads the key, or makes it and writes it durably. Blocking: at start-up. Throws core::Error when the file
// is unreadable or holds no key (it is not replaced then: somebody may rely on the old one).
AccessKey load_or_make_root_key(const std::filesystem::path& data_dir, core::IdSource& ids);

}  // namespace sampan::iam
