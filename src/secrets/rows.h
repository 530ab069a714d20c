// What is stored of secrets:
//   /secrets/secrets/<account>/<region>/<name>                      SecretRow: everything but the values
//   /secrets/values/<account>/<region>/<suffix>-<name>/<version>    ValueRow: one version's value, encrypted
// A secret made anew under an old name has another suffix, so its values never meet the old one's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/clock.h"
#include "store/table.h"

namespace sampan::secrets {

struct VersionRow {
  core::TimePoint created{};
  std::set<std::string> stages;  // empty: deprecated
  std::optional<core::TimePoint> accessed;
  bool operator==(const VersionRow&) const = default;
};

struct SecretRow {
  std::string name;
  std::string suffix;  // six characters behind the name in the ARN
  std::string description;
  std::string kms_key;
  std::string type;
  std::map<std::string, std::string> tags;
  core::TimePoint created{};
  core::TimePoint changed{};
  std::optional<core::TimePoint> accessed;  // the day
  std::optional<core::TimePoint> deleted;   // when deletion was asked for
  std::optional<core::TimePoint> goes;      // when it will be gone
  std::map<std::string, VersionRow> versions;
  bool operator==(const SecretRow&) const = default;
};

struct ValueRow {
  std::string sealed;  // of the value behind one byte: 's' or 'b', what it was given as
  std::string key_id;
  bool operator==(const ValueRow&) const = default;
};

}  // namespace sampan::secrets

template <>
struct sampan::store::RowCodec<sampan::secrets::SecretRow> {
  static std::string encode(const secrets::SecretRow& row);
  static secrets::SecretRow decode(std::string_view text);
};
template <>
struct sampan::store::RowCodec<sampan::secrets::ValueRow> {
  static std::string encode(const secrets::ValueRow& row);
  static secrets::ValueRow decode(std::string_view text);
};
