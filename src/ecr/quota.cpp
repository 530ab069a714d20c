#include "ecr/quota.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace sampan::ecr {
namespace {

std::string registry_of(std::string_view key) {
  return std::string(key.substr(0, key.find('/', key.find('/') + 1)));
}

}  // namespace

bool fits(std::uint64_t used, std::uint64_t more, const std::optional<std::uint64_t>& limit) {
  return !limit || (used <= *limit && more <= *limit - used);
}

Quotas::Quotas(store::Store& store, const image::ContentStore& content, Repositories& repositories)
    : store_(store), content_(content), repositories_(repositories), rows_(store, "/ecr/quotas/") {
  Repositories::Gates gates;
  gates.blob = [this](const RepositoryId& id, const image::Digest& blob) { check_blob(id, blob); };
  gates.image = [this](const RepositoryId& id) { check_image(id); };
  gates.repository = [this](const RepositoryId& id) { check_repository(id); };
  repositories.set_gates(std::move(gates));
  repositories.when_link_changes([this](const std::string& link, bool came) { link_changed(link, came); });
}

std::string Quotas::key(const RepositoryId& id) {
  return id.name.empty() ? id.account + '/' + id.region : id.key();
}

io::Awaitable<void> Quotas::set(RepositoryId id, QuotaRow row) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    if (!row.empty())
      tx.put(rows_, key(id), row);
    else if (tx.get(rows_, key(id)))
      tx.erase(rows_, key(id));
  });
}

QuotaRow Quotas::find(const RepositoryId& id) const {
  const auto* row = rows_.find(key(id));
  return row ? *row : QuotaRow();
}

// What a repository holds is known without looking at its files from the first question on.
std::map<std::string, std::uint64_t>& Quotas::bytes_of_registry(const std::string& registry) {
  const auto [found, fresh] = bytes_.try_emplace(registry);
  if (!fresh) return found->second;
  const auto& links = repositories_.links();
  const auto prefix = registry + '/';
  for (auto row = links.lower_bound(prefix); row != links.end() && row->first.starts_with(prefix); ++row) {
    const auto repository = row->first.substr(0, row->first.rfind('@'));
    found->second[repository] += content_.size(digest_of_key(row->first)).value_or(0);
  }
  return found->second;
}

void Quotas::link_changed(const std::string& link, bool came) {
  const auto registry = bytes_.find(registry_of(link));
  if (registry == bytes_.end()) return;
  const auto size = content_.size(digest_of_key(link));
  auto& used = registry->second[link.substr(0, link.rfind('@'))];
  if (!size || (!came && used < *size)) {
    bytes_.erase(registry);  // counted anew when it is asked for
    return;
  }
  used = came ? used + *size : used - *size;
}

void Quotas::check_blob(const RepositoryId& id, const image::Digest& blob) {
  const auto own = find(id).bytes;
  const auto all = find({id.account, id.region, {}}).bytes;
  if (!own && !all) return;
  const auto& used = bytes_of_registry(id.account + '/' + id.region);
  const auto more = content_.size(blob).value_or(0);
  const auto here = used.find(id.key());
  const auto held = here == used.end() ? 0 : here->second;
  if (!fits(held, more, own)) {
    throw Refusal(
        Refusal::Why::kOverQuota,
        fmt::format(
            "The repository with name '{}' in registry with id '{}' holds {} bytes; {} more of '{}' would "
            "exceed its quota of {} bytes",
            id.name, id.account, held, more, blob.str(), *own),
        {blob.str()});
  }
  if (!all) return;
  std::uint64_t total = 0;
  for (const auto& [repository, bytes] : used) total += bytes;
  if (fits(total, more, all)) return;
  throw Refusal(
      Refusal::Why::kOverQuota,
      fmt::format(
          "The registry with id '{}' holds {} bytes; {} more of '{}' would exceed its quota of {} bytes",
          id.account, total, more, blob.str(), *all),
      {blob.str()});
}

std::uint64_t Quotas::images_of_registry(const std::string& registry) const {
  const auto prefix = registry + '/';
  const auto& all = repositories_.repositories();
  std::uint64_t images = 0;
  for (auto row = all.lower_bound(prefix); row != all.end() && row->first.starts_with(prefix); ++row) {
    images += repositories_.index().image_count(row->first);
  }
  return images;
}

void Quotas::check_image(const RepositoryId& id) const {
  const auto most = find(id).images.value_or(kMostImagesOfRepository);
  if (repositories_.index().image_count(id.key()) >= most) {
    throw Refusal(
        Refusal::Why::kOverQuota,
        fmt::format("The repository with name '{}' in registry with id '{}' already has the maximum allowed "
                    "number of images which is '{}'",
                    id.name, id.account, most));
  }
  const auto all = find({id.account, id.region, {}}).images;
  if (!all || images_of_registry(id.account + '/' + id.region) < *all) return;
  throw Refusal(
      Refusal::Why::kOverQuota,
      fmt::format("The registry with id '{}' already has the maximum allowed number of images which is '{}'",
                  id.account, *all));
}

void Quotas::check_repository(const RepositoryId& id) const {
  const auto most = find({id.account, id.region, {}}).repositories.value_or(kMostRepositoriesOfRegion);
  const auto& all = repositories_.repositories();
  if (all.size() < most) return;
  const auto prefix = id.account + '/' + id.region + '/';
  std::uint64_t count = 0;
  for (auto row = all.lower_bound(prefix); row != all.end() && row->first.starts_with(prefix); ++row) ++count;
  if (count < most) return;
  throw Refusal(
      Refusal::Why::kOverQuota,
      fmt::format(
          "The registry with id '{}' already has the maximum allowed number of repositories which is '{}'",
          id.account, most));
}

Quotas::Usage Quotas::usage(const RepositoryId& id) {
  Usage found;
  const auto registry = id.account + '/' + id.region;
  const auto& bytes = bytes_of_registry(registry);
  if (!id.name.empty()) {
    const auto own = bytes.find(id.key());
    found.bytes = own == bytes.end() ? 0 : own->second;
    found.images = repositories_.index().image_count(id.key());
    found.repositories = repositories_.find(id) ? 1 : 0;
    return found;
  }
  for (const auto& [repository, size] : bytes) found.bytes += size;
  found.images = images_of_registry(registry);
  const auto& all = repositories_.repositories();
  for (auto row = all.lower_bound(registry + '/'); row != all.end() && row->first.starts_with(registry + '/');
       ++row)
    ++found.repositories;
  return found;
}

}  // namespace sampan::ecr

namespace sampan::store {
namespace json = boost::json;

std::string RowCodec<ecr::QuotaRow>::encode(const ecr::QuotaRow& row) {
  json::object object;
  if (row.bytes) object["bytes"] = *row.bytes;
  if (row.images) object["images"] = *row.images;
  if (row.repositories) object["repositories"] = *row.repositories;
  return json::serialize(object);
}

ecr::QuotaRow RowCodec<ecr::QuotaRow>::decode(std::string_view text) {
  const auto value = json::parse(text);
  const auto member = [&value](std::string_view name) -> std::optional<std::uint64_t> {
    const auto* found = value.as_object().if_contains(name);
    return found ? std::optional(found->to_number<std::uint64_t>()) : std::nullopt;
  };
  return {member("bytes"), member("images"), member("repositories")};
}

}  // namespace sampan::store
