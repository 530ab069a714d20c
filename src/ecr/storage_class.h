// The storage class of an image: standard or archive, and the way back. Pure.
//
//   ACTIVE --archive--> ARCHIVED --restore--> ACTIVATING --a while--> ACTIVE
//
// The state follows from two times in the image's row, so that nothing has to be done when the while has
// passed.
#pragma once

#include <string_view>

#include "ecr/rows.h"

namespace sampan::ecr {

enum class ImageStatus { kActive, kArchived, kActivating };

// How long an image takes to come back. ECR needs up to twenty minutes; here its content never went away.
inline constexpr std::chrono::seconds kActivation{2};

ImageStatus status_of(const ImageRow& row, core::TimePoint now);
std::string_view status_name(ImageStatus status);  // "ACTIVE"

void archive(ImageRow& row, core::TimePoint now);  // of an active one
void restore(ImageRow& row, core::TimePoint now);  // of an archived one
// It has been pushed again: back at once.
void wake(ImageRow& row, core::TimePoint now);

}  // namespace sampan::ecr
