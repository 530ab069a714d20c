// WWW-Authenticate of registries that are not ours.
#include "image/challenge.h"

#include "core/fuzz_target.h"

namespace sampan::image {
namespace {

FUZZ_TARGET(challenge) {
  const auto challenge = parse_challenge(input);
  if (!challenge) return;
  FUZZ_CHECK(!challenge->scheme.empty());
  for (const char letter : challenge->scheme) FUZZ_CHECK(letter < 'A' || letter > 'Z');
}

}  // namespace
}  // namespace sampan::image
