// The key that secrets are encrypted with: <data-dir>/secrets.key (mode 0600), made at the first start.
//
// Never made anew while something is encrypted with one that is gone: then there is no key, secrets cannot be
// read, and whoever asks is told which file to bring back.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/random.h"

namespace sampan::secrets {

struct SealingKey {
  std::string bytes;  // 32
  std::string id;     // 16 hex digits of its hash: which key something was sealed with
};

std::string render_key_file(const SealingKey& key);
std::optional<SealingKey> parse_key_file(std::string_view text);
SealingKey make_key(core::IdSource& ids);

enum class KeyUse { kFirst, kHasSealed };  // whether anything was sealed by an earlier life

// Reads the key; makes it, durably, when there is none and nothing was sealed yet. Nothing, and `problem`
// says why in one line, when it is lost or unreadable. Blocking: at start-up. Throws core::Error when it
// cannot be written.
std::optional<SealingKey> load_or_make_key(const std::filesystem::path& data_dir, core::IdSource& ids,
                                           KeyUse use, std::string& problem);

}  // namespace sampan::secrets
