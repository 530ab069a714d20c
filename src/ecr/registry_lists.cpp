// The registry's lists: tags, repositories, referrers.
#include <fmt/core.h>

#include <boost/json.hpp>

#include "core/encoding.h"
#include "core/log.h"
#include "core/text.h"
#include "ecr/registry.h"
#include "ecr/registry_error.h"

namespace sampan::ecr {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostNames = 1000;  // of one answer, whatever n says
// Of one answer: the specification lets an index be as large as a manifest, 4 MiB.
constexpr std::size_t kMostReferrers = 500;
constexpr std::size_t kMostReferrerBytes = 3 * 1024 * 1024;

struct Names {
  std::vector<std::string> names;
  bool more = false;
};

// The query's n: at most kMostNames, which is also what no n means.
std::size_t parse_count(const std::string& text) {
  if (text.empty()) return kMostNames;
  const auto count = core::parse_int(text);
  if (!count || *count < 0)
    throw RegistryError(400, "PAGINATION_NUMBER_INVALID", "n is not a number of entries");
  return std::min(static_cast<std::size_t>(*count), kMostNames);
}

http::Response json_answer(const json::object& object) {
  return http::Response::text(200, json::serialize(object), "application/json; charset=utf-8");
}

void link_next(http::Response& response, const std::string& path, std::size_t count, const Names& page) {
  if (!page.more || page.names.empty()) return;
  response.headers.set("Link", fmt::format("<{}?n={}&last={}>; rel=\"next\"", path, count,
                                           core::percent_encode(page.names.back())));
}

Names tags_after(const Repositories& repositories, const RepositoryId& id, const std::string& last,
                 std::size_t count) {
  Names page;
  const auto* tags = repositories.index().tags(id.key());
  if (!tags) return page;
  for (auto tag = last.empty() ? tags->begin() : tags->upper_bound(last); tag != tags->end(); ++tag) {
    if (page.names.size() == count) {
      page.more = true;
      break;
    }
    page.names.emplace_back((*tag).first);
  }
  return page;
}

Names repositories_after(const Repositories& repositories, const std::string& prefix, const std::string& last,
                         std::size_t count) {
  Names page;
  const auto& table = repositories.repositories();
  for (auto row = table.lower_bound(prefix + last); row != table.end() && row->first.starts_with(prefix);
       ++row) {
    auto name = row->first.substr(prefix.size());
    if (name == last) continue;
    if (page.names.size() == count) {
      page.more = true;
      break;
    }
    page.names.push_back(std::move(name));
  }
  return page;
}

struct Referrer {
  image::Digest digest;
  std::string media_type;
  std::string artifact_type;
};

json::object render_referrer(const image::ContentStore& content, const Referrer& referrer) {
  const auto bytes = content.read(referrer.digest, image::kLargestManifest);
  json::object descriptor{
      {"mediaType", referrer.media_type}, {"digest", referrer.digest.str()}, {"size", bytes.size()}};
  if (!referrer.artifact_type.empty()) descriptor["artifactType"] = referrer.artifact_type;
  const auto annotations = image::parse_manifest(bytes).annotations;
  if (!annotations.empty()) descriptor["annotations"] = json::value_from(annotations);
  return descriptor;
}

struct ReferrerPage {
  json::array manifests;
  std::string last;  // the digest after which the next page begins; empty: there is none
};

// The first of `found` that fit into one answer, each as a descriptor. Reads the manifests: blocking.
ReferrerPage render_page(const image::ContentStore& content, const std::vector<Referrer>& found) {
  ReferrerPage page;
  std::size_t bytes = 0;
  for (const auto& referrer : found) {
    if (!content.size(referrer.digest)) continue;  // deleted since, and collected
    auto descriptor = render_referrer(content, referrer);
    bytes += json::serialize(descriptor).size() + 1;
    const bool full = page.manifests.size() == kMostReferrers || bytes > kMostReferrerBytes;
    if (full && !page.manifests.empty()) {
      page.last = page.manifests.back().at("digest").as_string();
      break;
    }
    page.manifests.push_back(std::move(descriptor));
  }
  return page;
}

}  // namespace

io::Awaitable<http::Response> Registry::list_tags(Exchange& exchange) {
  const auto count = parse_count(exchange.param("n"));
  const auto last = exchange.param("last");
  auto* repositories = &repositories_;
  const auto* id = &exchange.repository;
  const auto page = co_await io::on_control(
      executors_, [repositories, id, &last, count] { return tags_after(*repositories, *id, last, count); });
  auto response = json_answer({{"name", exchange.repository.name}, {"tags", json::value_from(page.names)}});
  link_next(response, "/v2/" + exchange.repository.name + "/tags/list", count, page);
  co_return response;
}

io::Awaitable<http::Response> Registry::list_repositories(Exchange& exchange) {
  const auto count = parse_count(exchange.param("n"));
  const auto last = exchange.param("last");
  const auto prefix = exchange.repository.account + '/' + exchange.repository.region + '/';
  auto* repositories = &repositories_;
  const auto page = co_await io::on_control(executors_, [repositories, &prefix, &last, count] {
    return repositories_after(*repositories, prefix, last, count);
  });
  auto response = json_answer({{"repositories", json::value_from(page.names)}});
  link_next(response, "/v2/_catalog", count, page);
  co_return response;
}

io::Awaitable<http::Response> Registry::list_referrers(Exchange& exchange) {
  const auto subject = exchange.digest();
  const auto filter = exchange.param("artifactType");
  const auto last = exchange.param("last");
  auto* repositories = &repositories_;
  const auto* id = &exchange.repository;
  const auto look = [repositories, id, &subject, &filter, &last] {
    std::vector<Referrer> found;
    for (const auto& digest : repositories->index().referrers(id->key(), subject)) {
      if (digest.str() <= last) continue;
      const auto* row = repositories->find_image(*id, digest);
      if (!row || (!filter.empty() && row->artifact_type != filter)) continue;
      found.push_back({digest, row->media_type, row->artifact_type});
      if (found.size() > kMostReferrers) break;  // the one too many tells that there are more
    }
    return found;
  };
  const auto found = co_await io::on_control(executors_, look);
  const auto* content = &content_;
  auto page = co_await io::offload(executors_, [content, &found] { return render_page(*content, found); });
  json::object index{{"schemaVersion", 2}, {"mediaType", image::kOciIndex}};
  index["manifests"] = std::move(page.manifests);
  auto response = http::Response::text(200, json::serialize(index), image::kOciIndex);
  if (!filter.empty()) response.headers.set("OCI-Filters-Applied", "artifactType");
  if (!page.last.empty()) {
    auto next =
        fmt::format("/v2/{}/referrers/{}?last={}", id->name, subject.str(), core::percent_encode(page.last));
    if (!filter.empty()) next += "&artifactType=" + core::percent_encode(filter);
    response.headers.set("Link", fmt::format("<{}>; rel=\"next\"", next));
  }
  co_return response;
}

}  // namespace sampan::ecr
