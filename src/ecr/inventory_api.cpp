#include "ecr/inventory_api.h"

#include <boost/json.hpp>

#include "core/error.h"
#include "scan/sbom.h"

namespace sampan::ecr {
namespace {

http::Response refuse(int status, std::string_view why) {
  return http::Response::text(status, boost::json::serialize(boost::json::object{{"message", why}}) + "\n",
                              "application/json");
}

}  // namespace

std::optional<image::Digest> InventoryApi::find(const Question& question) const {
  const auto digest = question.digest.empty() ? repositories_.find_tag(question.repository, question.tag)
                                              : image::Digest::parse(question.digest);
  const auto* row = digest ? repositories_.find_image(question.repository, *digest) : nullptr;
  if (!row || !Scans::is_scannable(*row)) return std::nullopt;
  return digest;
}

io::Awaitable<http::Response> InventoryApi::handle(http::Request& request, image::Registry registry) {
  if (request.method != "GET") co_return refuse(405, "use GET");
  Question question;
  question.repository = {registry.account, registry.region, ""};
  for (const auto& [name, value] : http::parse_query(request.raw_query())) {
    // As a reference: whoever asks was let in by the repository that a reference names.
    const auto reference = name == "repository" ? image::Reference::parse(value) : std::nullopt;
    if (reference) question.repository.name = reference->repository;
    if (name == "tag") question.tag = value;
    if (name == "digest") question.digest = value;
    if (name != "format") continue;
    if (value != "spdx" && value != "cyclonedx") co_return refuse(400, "format is cyclonedx or spdx");
    question.spdx = value == "spdx";
  }
  const auto* asked = &question;
  const auto digest = co_await io::on_control(executors_, [this, asked] { return find(*asked); });
  if (!digest)
    co_return refuse(404, "there is no such image (of an index, name one of its images by digest)");
  try {
    auto inventory = co_await boost::asio::co_spawn(executors_.control(), scans_.inventory(*digest),
                                                    boost::asio::use_awaitable);
    const scan::SbomSubject subject{host_ + '/' + question.repository.name, digest->str(), clock_.now()};
    const bool spdx = question.spdx;
    auto text = co_await io::offload(executors_, [&] {
      return spdx ? scan::render_spdx(inventory, subject) : scan::render_cyclonedx(inventory, subject);
    });
    co_return http::Response::text(200, std::move(text),
                                   spdx ? "application/spdx+json" : "application/vnd.cyclonedx+json");
  } catch (const core::Error& error) {
    co_return refuse(422, error.what());
  }
}

}  // namespace sampan::ecr
