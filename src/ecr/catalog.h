// The repositories as the builder, the puller and the node see them: image::Catalog's real engine.
#pragma once

#include <string>
#include <vector>

#include "ecr/repositories.h"
#include "image/catalog.h"

namespace sampan::ecr {

class PullThrough;

class Catalog final : public image::Catalog {
 public:
  // `hosts`: "localhost:4566", "127.0.0.1:4566": where this Sampan's registry is reached.
  Catalog(Repositories& repositories, io::Executors& executors, std::vector<std::string> hosts);

  // Pulls go through to the upstreams of the cache's rules. Before the first request.
  void pull_through(PullThrough& cache) { pull_through_ = &cache; }

  bool owns(std::string_view host) const override;
  std::optional<image::Digest> resolve(const image::Registry& registry,
                                       const image::Reference& reference) const override;
  boost::asio::awaitable<void> obtain(const image::Registry& registry, const image::Reference& reference,
                                      const image::Platform& platform) const override;
  bool may_change(const image::Registry& registry, const image::Reference& reference) const override;
  boost::asio::awaitable<void> tag(const image::Registry& registry, const std::string& repository,
                                   const std::string& tag, const image::Digest& manifest) override;

 private:
  Repositories& repositories_;
  io::Executors& executors_;
  std::vector<std::string> hosts_;
  PullThrough* pull_through_ = nullptr;
};

}  // namespace sampan::ecr
