// Which secrets a list shows, and in which order. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/secretsmanager.h"
#include "secrets/rows.h"

namespace sampan::secrets {

using Filters = std::vector<api::secretsmanager::Filter>;

// All filters match; a filter matches when one of its values does. Values are prefixes, with '!' in front of
// what must not match: of the name, of a tag's key or value (case counts), of a word of the description (case
// does not count); "all" looks at all of these.
bool matches(const SecretRow& secret, const std::string& region, const Filters& filters);

// "created-date", "last-accessed-date", "last-changed-date" or "name", as text that sorts so.
std::string sort_key(const SecretRow& secret, const std::string& by);

}  // namespace sampan::secrets
