#include "ecr/shipment.h"

#include <set>

namespace sampan::ecr {
namespace {

class Packer {
 public:
  Packer(const Repositories& repositories, const RepositoryId& id) : repositories_(repositories), id_(id) {}

  // A manifest after those it names. Manifests name each other by digest, so that there are no circles.
  void pack(const image::Digest& digest) {
    const auto* row = repositories_.find_image(id_, digest);
    if (!row || items_.size() >= kMostManifests || !seen_.insert(digest).second) return;
    for (const auto& child : row->children) pack(child);
    items_.push_back({digest, row->media_type, row->blobs});
  }
  // What refers to what is packed, and to that in turn.
  void pack_referrers() {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const auto subject = items_[i].digest;
      for (const auto& referrer : repositories_.index().referrers(id_.key(), subject)) pack(referrer);
    }
  }
  std::vector<Shipment::Item> take() { return std::move(items_); }
  std::size_t size() const { return items_.size(); }

 private:
  const Repositories& repositories_;
  const RepositoryId& id_;
  std::vector<Shipment::Item> items_;
  std::set<image::Digest> seen_;
};

}  // namespace

std::optional<Shipment> plan_shipment(const Repositories& repositories, const RepositoryId& id,
                                      const image::Digest& image, const std::vector<std::string>& tags) {
  if (!repositories.find_image(id, image)) return std::nullopt;
  Packer packer(repositories, id);
  packer.pack(image);
  Shipment shipment;
  shipment.image = packer.size() - 1;
  packer.pack_referrers();
  shipment.items = packer.take();
  for (const auto& tag : tags) {
    if (repositories.find_tag(id, tag) == image) shipment.tags.push_back(tag);
  }
  return shipment;
}

}  // namespace sampan::ecr
