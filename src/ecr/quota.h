// How much an account or a repository may hold. The operator sets it; ECR's own quotas stand where nothing is
// set.
//   /ecr/quotas/<account>/<region>          QuotaRow, of all repositories of the account in the region
//   together /ecr/quotas/<account>/<region>/<name>   QuotaRow, of one repository
//
// Bytes are those of the distinct blobs that a repository has (layers and configurations, as they are
// stored): a layer that ten images of a repository share counts once; one that two repositories share counts
// in each. Images are manifests and indexes, tagged or not.
//
// Asked inside the transactions that link a blob, add an image or make a repository: two pushes at once
// cannot pass together. What is there already when a quota is lowered stays; only more is refused. On the
// control strand.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "ecr/repositories.h"

namespace sampan::ecr {

struct QuotaRow {
  std::optional<std::uint64_t> bytes;
  std::optional<std::uint64_t> images;
  std::optional<std::uint64_t> repositories;  // of an account
  bool operator==(const QuotaRow&) const = default;
  bool empty() const { return !bytes && !images && !repositories; }
};

inline constexpr std::uint64_t kMostImagesOfRepository = 100'000;    // ECR's quota
inline constexpr std::uint64_t kMostRepositoriesOfRegion = 100'000;  // ECR's quota

// Pure: why `more` is refused beside `used`, or nothing.
bool fits(std::uint64_t used, std::uint64_t more, const std::optional<std::uint64_t>& limit);

class Quotas {
 public:
  // Both must outlive it. Hooks itself into `repositories`.
  Quotas(store::Store& store, const image::ContentStore& content, Repositories& repositories);

  // An empty `name`: the account's. An empty row: ECR's own quotas again. Durable when it returns.
  io::Awaitable<void> set(RepositoryId id, QuotaRow row);
  QuotaRow find(const RepositoryId& id) const;
  struct Usage {
    std::uint64_t bytes = 0;
    std::uint64_t images = 0;
    std::uint64_t repositories = 0;
  };
  // Walks the repository's (or the account's) rows.
  Usage usage(const RepositoryId& id);
  const store::Table<QuotaRow>& rows() const { return rows_; }

 private:
  static std::string key(const RepositoryId& id);
  void check_blob(const RepositoryId& id, const image::Digest& blob);
  void check_image(const RepositoryId& id) const;
  void check_repository(const RepositoryId& id) const;
  void link_changed(const std::string& link, bool came);
  std::map<std::string, std::uint64_t>& bytes_of_registry(const std::string& registry);
  std::uint64_t images_of_registry(const std::string& registry) const;

  store::Store& store_;
  const image::ContentStore& content_;
  const Repositories& repositories_;
  store::Table<QuotaRow> rows_;
  // "<account>/<region>" -> repository key -> bytes; filled when a byte quota of the registry is first asked
  // for.
  std::map<std::string, std::map<std::string, std::uint64_t>> bytes_;
};

}  // namespace sampan::ecr

template <>
struct sampan::store::RowCodec<sampan::ecr::QuotaRow> {
  static std::string encode(const ecr::QuotaRow& row);
  static ecr::QuotaRow decode(std::string_view text);
};
