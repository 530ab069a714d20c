#include "ecr/image_index_loader.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <thread>

#include "core/encoding.h"
#include "core/error.h"
#include "ecr/image_row_codec.h"
#include "store/packed.h"

namespace sampan::ecr {
namespace {

using Images = store::PackedTable<ImageRow>;

// A tag to be sorted. Its first sixteen bytes as a number settle nearly every comparison without a look at
// the text, which lies somewhere in the rows.
struct LoadedTag {
  unsigned __int128 front = 0;
  std::string_view text;
  TagMap::Image image = 0;

  LoadedTag(std::string_view tag, TagMap::Image of) : text(tag), image(of) {
    unsigned char bytes[16] = {};
    std::memcpy(bytes, tag.data(), std::min(tag.size(), sizeof(bytes)));
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, bytes, 8);
    std::memcpy(&low, bytes + 8, 8);
    front = static_cast<unsigned __int128>(__builtin_bswap64(high)) << 64 | __builtin_bswap64(low);
  }
  bool operator<(const LoadedTag& other) const {
    return front != other.front ? front < other.front : text < other.text;
  }
};
static_assert(std::endian::native == std::endian::little);

// What failed, with the row's key before it.
[[noreturn]] void fail(const Images::const_iterator& row, const core::Error& error) {
  throw core::Error(fmt::format("read the row of image {}", row.key()), error.what());
}

// Rows come in the order of their keys, and so one repository after the other. `self` is raw.
template <class Visit>
void for_each_row(const Images& images, Visit visit) {
  ImageFacts facts;
  for (auto row = images.begin(); row != images.end(); ++row) {
    const auto key = row.key();
    const auto at = std::min(key.rfind('@'), key.size());
    const auto digest = image::Digest::parse(key.substr(std::min(at + 1, key.size())));
    try {
      if (!digest) throw core::Error("its key names no digest");
      facts.read(row.encoded());
    } catch (const core::Error& error) {
      fail(row, error);
    }
    visit(key.substr(0, at), *digest, facts, store::is_packed(row.encoded()));
  }
}

TagMap sort_tags(std::vector<LoadedTag>& tags) {
  std::sort(tags.begin(), tags.end());
  TagMap map;
  std::string_view before;
  for (const auto& tag : tags) {
    if (tag.text != before) map.append(tag.text, tag.image);
    before = tag.text;
  }
  return map;
}

std::vector<LoadedImages::Repository> load_tags(const Images& images, DigestPool& pool) {
  std::vector<LoadedImages::Repository> repositories;
  std::vector<LoadedTag> tags;
  std::deque<std::string> copies;  // of tags in rows that do not hold them as they are
  const auto finish = [&] {
    if (!repositories.empty()) repositories.back().tags = sort_tags(tags);
    tags.clear();
    copies.clear();
  };
  for_each_row(images,
               [&](std::string_view name, const image::Digest& self, const ImageFacts& facts, bool packed) {
                 if (repositories.empty() || repositories.back().name != name) {
                   finish();
                   repositories.push_back({std::string(name), {}, 0});
                 }
                 ++repositories.back().images;
                 const auto id = pool.hold(self.raw());
                 for (const auto tag : facts.tags)
                   tags.emplace_back(packed ? tag : copies.emplace_back(tag), id);
               });
  finish();
  return repositories;
}

void load_relations(const Images& images, LoadedImages& loaded) {
  for_each_row(images, [&](std::string_view name, const image::Digest& self, const ImageFacts& facts, bool) {
    for (const auto blob : facts.blobs) ++loaded.needed[need_number(name, blob)];
    const auto relate = [&](std::string_view of, bool is_subject) {
      loaded.relations.push_back({std::string(name), std::string(of), self.raw(), is_subject});
    };
    for (const auto child : facts.children) relate(child, false);
    if (!facts.subject.empty()) relate(facts.subject, true);
  });
}

}  // namespace

std::uint64_t need_number(std::string_view repository, std::string_view raw_digest) {
  std::uint64_t front = 0;
  std::memcpy(&front, raw_digest.data(), std::min(raw_digest.size(), sizeof(front)));
  return front ^ (std::hash<std::string_view>()(repository) * 0x9e3779b97f4a7c15);
}

LoadedImages load_images(const Images& images, DigestPool& pool) {
  LoadedImages loaded;
  std::exception_ptr failure;
  {
    const std::jthread beside([&] {
      try {
        load_relations(images, loaded);
      } catch (...) {
        failure = std::current_exception();
      }
    });
    loaded.repositories = load_tags(images, pool);
  }
  if (failure) std::rethrow_exception(failure);
  return loaded;
}

}  // namespace sampan::ecr
