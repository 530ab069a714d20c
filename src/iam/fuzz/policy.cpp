// Policies of every kind: what is read has statements that say something.
#include "iam/policy.h"

#include "core/fuzz_target.h"

namespace sampan::iam {
namespace {

FUZZ_TARGET(policy) {
  for (const auto kind :
       {PolicyKind::kIdentity, PolicyKind::kTrust, PolicyKind::kRepository, PolicyKind::kRegistry}) {
    try {
      for (const auto& statement : parse_policy(input, kind).statements)
        FUZZ_CHECK(!statement.actions.empty());
    } catch (const MalformedPolicy&) {
    }
  }
}

}  // namespace
}  // namespace sampan::iam
