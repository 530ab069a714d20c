#include "ecr/image_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <random>

#include "store/memory_store.h"
#include "store/packed_table.h"

namespace sampan::ecr {
namespace {

using Codec = store::RowCodec<ImageRow>;

TEST(DigestPool, GivesOneNumberADigestAndTakesItBackFromTheLastHolder) {
  DigestPool pool;
  const auto a = image::Digest::of("a").raw();
  const auto b = image::Digest::of("b", core::HashAlgorithm::kSha512).raw();
  const auto id = pool.hold(a);
  EXPECT_EQ(pool.hold(a), id);
  const auto other = pool.hold(b);
  EXPECT_NE(other, id);
  EXPECT_EQ(pool.raw(id), a);
  EXPECT_EQ(pool.raw(other), b);
  pool.let_go(id);
  EXPECT_EQ(pool.find(a), id);
  pool.let_go(id);
  EXPECT_EQ(pool.find(a), std::nullopt);
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_EQ(pool.hold(image::Digest::of("c").raw()), id);
}

class RandomTags {
 public:
  explicit RandomTags(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return engine_() % n; }
  std::string tag(std::size_t different) {
    const auto number = below(different);
    const auto text = std::to_string(number);
    return number % 7 == 0   ? std::string(100 + number % 28, 'x') + text
           : number % 3 == 0 ? "release-of-the-day-" + text
                             : text;
  }

 private:
  std::mt19937 engine_;
};

void expect_same(const TagMap& map, const std::map<std::string, TagMap::Image, std::less<>>& model) {
  ASSERT_EQ(map.size(), model.size());
  auto at = map.begin();
  for (const auto& [tag, image] : model) {
    ASSERT_NE(at, map.end());
    ASSERT_EQ((*at).first, tag);
    ASSERT_EQ((*at).second, image);
    ++at;
  }
  EXPECT_EQ(at, map.end());
}

TEST(TagMap, SaysTheSameAsAMapAfterRandomChanges) {
  for (const std::size_t different : {3u, 300u, 5000u}) {
    RandomTags random(static_cast<std::uint32_t>(different));
    TagMap map;
    std::map<std::string, TagMap::Image, std::less<>> model;
    for (int round = 0; round < 20'000; ++round) {
      const auto tag = random.tag(different);
      const auto image = static_cast<TagMap::Image>(random.below(4));
      if (random.below(100) < (round < 12'000 ? 35u : 70u)) {
        map.erase(tag, image);
        if (const auto found = model.find(tag); found != model.end() && found->second == image)
          model.erase(found);
      } else {
        map.put(tag, image);
        model.insert_or_assign(tag, image);
      }
      const auto wanted = random.tag(different);
      const auto found = model.find(wanted);
      ASSERT_EQ(map.find(wanted), found == model.end() ? std::nullopt : std::optional(found->second));
      const auto above = model.upper_bound(wanted);
      const auto mine = map.upper_bound(wanted);
      ASSERT_EQ(mine == map.end(), above == model.end());
      if (above != model.end()) ASSERT_EQ((*mine).first, above->first);
    }
    expect_same(map, model);
  }
}

TEST(TagMap, TakesManyInOrderAndThenAnywhere) {
  TagMap map;
  std::map<std::string, TagMap::Image, std::less<>> model;
  for (int i = 0; i < 30'000; ++i) model.emplace(std::string(i % 200, 'y') + std::to_string(i), i);
  for (const auto& [tag, image] : model) map.append(tag, image);
  expect_same(map, model);
  RandomTags random(5);
  for (int i = 0; i < 5000; ++i) {
    const auto tag = random.tag(9000);
    map.put(tag, 1);
    model[tag] = 1;
  }
  expect_same(map, model);
}

TEST(TagMap, ManyOfTheLongestTagsFit) {
  TagMap map;
  for (int i = 0; i < 1000; ++i) {
    auto tag = std::to_string(100'000 + i * 7919 % 1000);
    tag += std::string(TagMap::kLongestTag - tag.size(), 'z');
    map.put(tag, static_cast<TagMap::Image>(i));
  }
  EXPECT_EQ(map.size(), 1000u);
  int seen = 0;
  std::string before;
  for (const auto [tag, image] : map) {
    EXPECT_LT(before, tag);
    before = tag;
    ++seen;
  }
  EXPECT_EQ(seen, 1000);
}

// The index beside the rows themselves, which answer every question slowly.
class IndexTest : public testing::Test {
 protected:
  using Rows = std::map<std::string, ImageRow>;  // by "<repository>@<digest>"

  std::size_t below(std::size_t n) { return random_() % n; }
  image::Digest digest(std::size_t n) {
    return image::Digest::of(std::to_string(n),
                             n % 3 == 0 ? core::HashAlgorithm::kSha512 : core::HashAlgorithm::kSha256);
  }
  std::string key(std::size_t repository, const image::Digest& digest) {
    return repositories_[repository] + '@' + digest.str();
  }
  static bool in(const Rows::value_type& row, const std::string& repository) {
    return row.first.substr(0, row.first.rfind('@')) == repository;
  }
  static image::Digest digest_of(const Rows::value_type& row) {
    return *image::Digest::parse(row.first.substr(row.first.rfind('@') + 1));
  }

  // What an image is made of follows from its digest, as it does in the world.
  ImageRow image(std::size_t n) {
    ImageRow row;
    if (n % 5 == 1) row.children = {digest(n + 1), digest(n + 2)};
    if (n % 4 == 1) row.subject = digest(n / 2);
    row.blobs = {digest(n % 9 + 500), digest(n % 4 + 600)};
    return row;
  }
  // One transaction: an image comes with tags (taken from others), or goes. Told in the order of keys.
  void change_something() {
    const auto repository = below(3);
    const auto number = below(40);
    const auto name = key(repository, digest(number));
    std::map<std::string, std::optional<ImageRow>> changes;
    if (below(4) == 0) {
      changes[name] = std::nullopt;
    } else {
      auto row = rows_.contains(name) ? rows_[name] : image(number);
      for (auto n = below(4); n > 0; --n) {
        const auto tag = "t" + std::to_string(below(60));
        for (const auto& other : rows_) {
          if (!in(other, repositories_[repository]) || other.first == name) continue;
          if (std::ranges::find(other.second.tags, tag) == other.second.tags.end()) continue;
          auto without = changes.contains(other.first) ? *changes[other.first] : other.second;
          std::erase(without.tags, tag);
          changes[other.first] = without;
        }
        row.tags.push_back(tag);
      }
      if (below(3) == 0 && !row.tags.empty()) row.tags.erase(row.tags.begin());
      std::ranges::sort(row.tags);
      row.tags.erase(std::ranges::unique(row.tags).begin(), row.tags.end());
      changes[name] = row;
    }
    for (const auto& [changed, after] : changes) tell(changed, after);
  }
  void tell(const std::string& name, const std::optional<ImageRow>& after) {
    const auto found = rows_.find(name);
    const auto before = found == rows_.end() ? std::string() : Codec::encode(found->second);
    const auto then = after ? Codec::encode(*after) : std::string();
    if (before.empty() && then.empty()) return;
    index_.change(name, before.empty() ? nullptr : &before, then.empty() ? nullptr : &then);
    if (after)
      rows_[name] = *after;
    else
      rows_.erase(name);
  }

  void expect_right(const ImageIndex& index) {
    for (const auto& repository : repositories_) {
      std::map<std::string, image::Digest> tags;
      std::size_t images = 0;
      for (const auto& row : rows_) {
        if (!in(row, repository)) continue;
        ++images;
        for (const auto& tag : row.second.tags) tags[tag] = digest_of(row);
      }
      ASSERT_EQ(index.image_count(repository), images);
      const auto* mine = index.tags(repository);
      ASSERT_EQ(mine ? mine->size() : 0, tags.size());
      for (const auto& [tag, digest] : tags) ASSERT_EQ(index.find_tag(repository, tag), digest);
      EXPECT_EQ(index.find_tag(repository, "no such tag"), std::nullopt);
      for (std::size_t n = 0; n < 45; ++n) expect_related(index, repository, digest(n));
      for (std::size_t n = 500; n < 610; ++n) {
        const auto needs = std::ranges::any_of(rows_, [&](const auto& row) {
          return in(row, repository) &&
                 std::ranges::find(row.second.blobs, digest(n)) != row.second.blobs.end();
        });
        ASSERT_EQ(index.needs(repository, digest(n)), needs);
      }
    }
  }
  void expect_related(const ImageIndex& index, const std::string& repository, const image::Digest& of) {
    std::vector<image::Digest> parents;
    std::vector<image::Digest> referrers;
    for (const auto& row : rows_) {
      if (!in(row, repository)) continue;
      if (std::ranges::find(row.second.children, of) != row.second.children.end())
        parents.push_back(digest_of(row));
      if (row.second.subject == of) referrers.push_back(digest_of(row));
    }
    ASSERT_EQ(index.parents(repository, of), parents);
    ASSERT_EQ(index.referrers(repository, of), referrers);
  }

  std::mt19937 random_{20261123};
  const std::vector<std::string> repositories_ = {"1/r/a", "1/r/a/b", "1/r/c"};
  Rows rows_;
  ImageIndex index_;
};

TEST_F(IndexTest, SaysTheSameAsTheRowsAfterRandomChanges) {
  for (int round = 0; round < 3000; ++round) {
    change_something();
    if (round % 100 == 0) expect_right(index_);
  }
  expect_right(index_);
  while (!rows_.empty()) tell(rows_.begin()->first, std::nullopt);
  expect_right(index_);
}

TEST_F(IndexTest, LoadedAtAStartItSaysTheSameAndGoesOn) {
  for (int round = 0; round < 400; ++round) change_something();
  boost::asio::io_context context;
  const auto store = store::make_memory_store(context.get_executor());
  store::Transaction all;
  for (const auto& [name, row] : rows_) all.writes.push_back({"/ecr/images/" + name, Codec::encode(row)});
  boost::asio::co_spawn(context, store->commit(std::move(all)), boost::asio::detached);
  context.run();
  const store::PackedTable<ImageRow> images(*store, "/ecr/images/");
  index_ = {};
  index_.load(images);
  expect_right(index_);
  for (int round = 0; round < 400; ++round) change_something();
  expect_right(index_);
}

TEST(ImageIndexLoad, NamesTheRowThatCannotBeRead) {
  boost::asio::io_context context;
  for (const std::string bad : {"/ecr/images/1/r/a", "/ecr/images/1/r/a@sha256:12", "/ecr/images/1/r/a@"}) {
    const auto store = store::make_memory_store(context.get_executor());
    const auto good = "/ecr/images/1/r/b@" + image::Digest::of("x").str();
    boost::asio::co_spawn(context, store->commit({{}, {{bad, Codec::encode({})}, {good, Codec::encode({})}}}),
                          boost::asio::detached);
    context.restart();
    context.run();
    const store::PackedTable<ImageRow> images(*store, "/ecr/images/");
    try {
      ImageIndex().load(images);
      ADD_FAILURE() << "took " << bad;
    } catch (const core::Error& error) {
      EXPECT_NE(std::string(error.what()).find(bad.substr(12)), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace sampan::ecr
