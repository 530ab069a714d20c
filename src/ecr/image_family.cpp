#include "ecr/image_family.h"

#include <algorithm>
#include <deque>
#include <set>

#include "ecr/storage_class.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kRowsATransaction = 256;

class Gathering {
 public:
  Gathering(const Repositories& repositories, const RepositoryId& id, Move move, core::TimePoint now)
      : repositories_(repositories), id_(id), move_(move), now_(now) {}

  std::vector<image::Digest> from(const image::Digest& image) {
    add(image);
    while (!left_.empty()) {
      const auto next = left_.front();
      left_.pop_front();
      const auto* row = repositories_.find_image(id_, next);
      const auto children = row ? row->children : std::vector<image::Digest>();
      for (const auto& child : children) {
        if (follows(child) && parents_are_away(child)) add(child);
      }
      for (const auto& referrer : repositories_.index().referrers(id_.key(), next)) {
        if (follows(referrer)) add(referrer);
      }
    }
    return std::move(found_);
  }

 private:
  void add(const image::Digest& image) {
    if (!known_.insert(image).second) return;
    found_.push_back(image);
    left_.push_back(image);
  }
  bool follows(const image::Digest& image) const {
    const auto* row = repositories_.find_image(id_, image);
    return row && (row->tags.empty() || move_ == Move::kToStandard);
  }
  // What one active index needs stays; what one that comes back needs comes.
  bool parents_are_away(const image::Digest& child) const {
    if (move_ == Move::kToStandard) return true;
    const auto parents = repositories_.index().parents(id_.key(), child);
    return std::all_of(parents.begin(), parents.end(), [&](const image::Digest& parent) {
      const auto* row = repositories_.find_image(id_, parent);
      return known_.contains(parent) || (row && status_of(*row, now_) == ImageStatus::kArchived);
    });
  }

  const Repositories& repositories_;
  const RepositoryId& id_;
  Move move_;
  core::TimePoint now_;
  std::vector<image::Digest> found_;
  std::set<image::Digest> known_;
  std::deque<image::Digest> left_;
};

void move_row(ImageRow& row, Move move, core::TimePoint now) {
  const auto status = status_of(row, now);
  if (move == Move::kToArchive && status == ImageStatus::kActive) archive(row, now);
  if (move == Move::kToStandard && status == ImageStatus::kArchived) restore(row, now);
}

}  // namespace

std::vector<image::Digest> family_of(const Repositories& repositories, const RepositoryId& id,
                                     const image::Digest& image, Move move, core::TimePoint now) {
  return Gathering(repositories, id, move, now).from(image);
}

io::Awaitable<ImageRow> move_family(Repositories& repositories, RepositoryId id, image::Digest image,
                                    Move move, core::TimePoint now,
                                    std::function<void(const ImageRow&)> check) {
  const auto* row = repositories.find_image(id, image);
  if (!row) throw Refusal(Refusal::Why::kNoImage, "Requested image not found");
  check(*row);  // before the first piece
  auto family = family_of(repositories, id, image, move, now);
  // To the archive from the top, back from the bottom.
  if (move == Move::kToStandard) std::reverse(family.begin(), family.end());
  ImageRow moved;
  const auto change = [&](const image::Digest& digest, ImageRow& row) {
    if (digest == image) check(row);
    move_row(row, move, now);
    if (digest == image) moved = row;
  };
  for (std::size_t at = 0; at < family.size(); at += kRowsATransaction) {
    const auto end = std::min(family.size(), at + kRowsATransaction);
    const std::vector<image::Digest> piece(family.begin() + static_cast<std::ptrdiff_t>(at),
                                           family.begin() + static_cast<std::ptrdiff_t>(end));
    // Only what it is about must be there; the others may have gone meanwhile.
    co_await repositories.change_images(id, piece, image, change);
  }
  co_return moved;
}

}  // namespace sampan::ecr
