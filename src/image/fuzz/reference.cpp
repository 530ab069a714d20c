// References and digests: what is read is written as the same name.
#include "image/reference.h"

#include "core/fuzz_target.h"

namespace sampan::image {
namespace {

FUZZ_TARGET(reference) {
  if (const auto digest = Digest::parse(input)) FUZZ_CHECK(digest->str() == input);
  const auto reference = Reference::parse(input);
  if (!reference) return;
  FUZZ_CHECK(valid_repository(reference->repository));
  FUZZ_CHECK(reference->tag.empty() || valid_tag(reference->tag));
  FUZZ_CHECK(reference->digest || !reference->tag.empty());
  FUZZ_CHECK(Reference::parse(reference->str()) == reference);
  // Names become paths and URLs: nothing in them may lead elsewhere.
  FUZZ_CHECK(reference->repository.find("..") == std::string::npos);
}

}  // namespace
}  // namespace sampan::image
