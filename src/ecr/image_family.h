// An image changes its storage class together with what is nothing without it: the images that only it names
// (of an index), and what refers to it (signatures, SBOMs), and so on down. Those with a tag of their own
// stay. On the control strand.
#pragma once

#include <functional>
#include <vector>

#include "ecr/repositories.h"

namespace sampan::ecr {

enum class Move { kToArchive, kToStandard };

// The image itself first.
std::vector<image::Digest> family_of(const Repositories& repositories, const RepositoryId& id,
                                     const image::Digest& image, Move move, core::TimePoint now);

// Moves the image and its family; the image's row as it then is. `check` looks at the image's row in the
// transaction that moves it and throws what it wants to. Throws Refusal (kNoImage).
//
// A family that is too large for one transaction goes in pieces, in an order in which an index that can be
// pulled never lacks its images; a move that was cut off is finished by asking for it again.
io::Awaitable<ImageRow> move_family(Repositories& repositories, RepositoryId id, image::Digest image,
                                    Move move, core::TimePoint now,
                                    std::function<void(const ImageRow&)> check);

}  // namespace sampan::ecr
