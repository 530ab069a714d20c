// Staging labels: which version of a secret is current, previous, pending. Pure.
#pragma once

#include <string>
#include <vector>

#include "secrets/rows.h"

namespace sampan::secrets {

inline constexpr char kCurrent[] = "AWSCURRENT";
inline constexpr char kPrevious[] = "AWSPREVIOUS";
inline constexpr std::size_t kMostStages = 20;     // of a secret
inline constexpr std::size_t kMostVersions = 100;  // beyond: those without a label go, the oldest first

// The version that has the label; "" when none has.
std::string version_with(const SecretRow& secret, const std::string& stage);
// Moves the label to `version`, which must be there. What was current becomes previous.
void give_stage(SecretRow& secret, const std::string& version, const std::string& stage);
void take_stage(SecretRow& secret, const std::string& version, const std::string& stage);
// Which versions go because there are too many.
std::vector<std::string> surplus_versions(const SecretRow& secret);

}  // namespace sampan::secrets
