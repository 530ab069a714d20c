// Garbage collection: what it decides, and that nothing needed goes whatever happens between two of its
// steps.
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/use_future.hpp>
#include <random>
#include <thread>

#include "core/random.h"
#include "ecr/collector.h"
#include "store/memory_store.h"

namespace sampan::ecr {
namespace {

using namespace std::chrono_literals;
constexpr core::Millis kGrace = 1000ms;

image::Digest digest_of(const std::string& text) {
  return image::Digest::of(text);
}

struct CollectionTest : ::testing::Test {
  CollectionTest() : thread([this] { executors.run(); }) {}
  ~CollectionTest() override {
    executors.stop();
    thread.join();
  }
  template <class T>
  T wait(io::Awaitable<T> work) {
    return boost::asio::co_spawn(executors.control(), std::move(work), boost::asio::use_future).get();
  }
  template <class F>
  auto on_control(F fn) {
    return boost::asio::co_spawn(executors.control(), io::run_on(executors.control(), fn),
                                 boost::asio::use_future)
        .get();
  }
  static RepositoryId id(const std::string& name) { return {"000000000000", "us-east-1", name}; }
  CollectionReport collect(core::Millis grace, bool dry_run = false) {
    return wait(collector.collect({.grace = grace, .dry_run = dry_run}));
  }
  void push_blob(const std::string& repository, const std::string& bytes) {
    const auto digest = content.put(bytes);
    wait(repositories.link_blob(id(repository), digest));
  }
  static std::string manifest(const std::vector<std::string>& layers) {
    std::string text =
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
        descriptor(layers.front(), image::kOciConfig) + R"(,"layers":[)";
    for (std::size_t i = 1; i < layers.size(); ++i) {
      text += (i > 1 ? "," : "") + descriptor(layers[i], image::kLayerGzip);
    }
    return text + "]}";
  }
  static std::string descriptor(const std::string& bytes, const std::string& type) {
    return R"({"mediaType":")" + type + R"(","size":)" + std::to_string(bytes.size()) + R"(,"digest":")" +
           digest_of(bytes).str() + "\"}";
  }
  image::Digest push_image(const std::string& repository, const std::vector<std::string>& layers,
                           const std::string& tag = "latest") {
    for (const auto& layer : layers) push_blob(repository, layer);
    auto upload = ManifestUpload::read(manifest(layers), image::kOciManifest);
    const auto digest = upload.digest;
    wait(repositories.put_image(id(repository), std::move(upload), tag));
    return digest;
  }
  std::size_t blobs() const {
    std::size_t count = 0;
    content.for_each([&](const image::Digest&, std::uint64_t) { ++count; });
    return count;
  }
  // Nothing that a row names is missing.
  std::string missing() {
    return on_control([this]() -> std::string {
      for (const auto& [key, row] : repositories.images()) {
        if (!content.size(digest_of_key(key))) return "manifest of " + key;
        for (const auto& blob : row.value.blobs) {
          if (!content.size(blob)) return blob.str() + " of " + key;
          if (!repositories.links().find(key.substr(0, key.rfind('@') + 1) + blob.str()))
            return "link of " + key;
        }
      }
      return {};
    });
  }

  io::TemporaryDirectory scratch{std::filesystem::exists("/dev/shm") ? "/dev/shm"
                                                                     : "/tmp"};  // no disk to wait for
  io::Executors executors;
  core::ManualClock clock{core::TimePoint(core::Millis(1'800'000'000'000))};
  core::SystemIdSource ids;
  std::unique_ptr<store::Store> store = store::make_memory_store(executors.control());
  image::ContentStore content{scratch.path(), clock};
  image::LayerStore layers{scratch.path(), content};
  Repositories repositories{*store, executors, content, clock};
  Uploads uploads{content, clock, ids};
  Collector collector{{*store, executors, clock, content, layers, repositories, uploads}};
  std::thread thread;
};

TEST_F(CollectionTest, TakesWhatNoRowNamesAfterTheGraceAndNotBefore) {
  wait(repositories.create(id("a"), {}));
  push_image("a", {"config", "layer"});
  push_blob("a", "a layer whose manifest never came");
  content.put("known to nobody");
  clock.advance(2h);
  EXPECT_EQ(collect(3h).blobs, 0u);
  const auto would = collect(1h, true);
  EXPECT_EQ(would.blobs, 2u);
  EXPECT_EQ(would.links, 1u);
  EXPECT_EQ(blobs(), 5u);
  const auto done = collect(1h);
  EXPECT_EQ(done.blobs, 2u);
  EXPECT_EQ(done.links, 1u);
  EXPECT_EQ(done.bytes, would.bytes);
  EXPECT_EQ(done.kept, 3u);
  EXPECT_EQ(blobs(), 3u);
  EXPECT_EQ(missing(), "");
  EXPECT_EQ(collect(1h).blobs, 0u) << "a second pass finds nothing";
}

TEST_F(CollectionTest, ALayerStaysWhileAnyImageOfAnyRepositoryNeedsIt) {
  for (const auto* name : {"a", "b"}) wait(repositories.create(id(name), {}));
  const auto first = push_image("a", {"config a", "shared"});
  const auto second = push_image("b", {"config b", "shared"});
  clock.advance(2h);
  wait(repositories.remove_image(id("a"), first));
  EXPECT_EQ(collect(1h).blobs, 1u) << "the manifest; the links were needed until now";
  clock.advance(2h);
  EXPECT_EQ(collect(1h).blobs, 1u) << "config a";
  EXPECT_TRUE(content.size(digest_of("shared")));
  wait(repositories.remove_image(id("b"), second));
  clock.advance(2h);
  EXPECT_EQ(collect(1h).blobs, 3u);
  EXPECT_EQ(blobs(), 0u);
}

TEST_F(CollectionTest, AnAnswerThatABlobIsHereKeepsIt) {
  wait(repositories.create(id("a"), {}));
  push_blob("a", "layer");
  const auto loose = content.put("loose");
  clock.advance(2h);
  EXPECT_TRUE(on_control([this] { return repositories.has_blob(id("a"), digest_of("layer")); }));
  EXPECT_TRUE(content.has(loose));
  EXPECT_EQ(collect(1h).blobs, 0u);
  clock.advance(2h);
  EXPECT_EQ(collect(1h).blobs, 2u);
}

TEST_F(CollectionTest, AHoldKeepsWhatWasTouchedSinceItBegan) {
  const auto before = content.put("before");
  clock.advance(1h);
  auto hold = std::optional(content.hold());
  const auto since = content.put("since");
  clock.advance(100h);
  EXPECT_EQ(collect(0ms).blobs, 1u);
  EXPECT_FALSE(content.size(before));
  EXPECT_TRUE(content.size(since));
  hold.reset();
  EXPECT_EQ(collect(0ms).blobs, 1u);
}

TEST_F(CollectionTest, WhatRunsOrIsCachedStays) {
  const std::vector<std::string> parts{R"({"rootfs":{"type":"layers","diff_ids":[]}})"};
  for (const auto& part : parts) content.put(part);
  const auto running = content.put(manifest(parts));
  const auto cached = content.put("a step's layer");
  CollectionRoots roots;
  roots.images = [&] { return std::vector{running}; };
  roots.build_cache = [&](KeepSet& keep, bool) {
    keep.add(cached);
    return 0;
  };
  collector.set_roots(roots);
  clock.advance(2h);
  EXPECT_EQ(collect(1h).blobs, 0u);
  collector.set_roots({});
  EXPECT_EQ(collect(1h).blobs, 3u);
}

TEST_F(CollectionTest, ANewProcessWaitsBeforeItJudgesLinks) {
  wait(repositories.create(id("a"), {}));
  push_blob("a", "layer");
  clock.advance(30min);
  Collector late({*store, executors, clock, content, layers, repositories, uploads});
  clock.advance(59min);
  const auto waiting = wait(late.collect({.grace = 80min}));
  EXPECT_TRUE(waiting.links_wait);
  EXPECT_EQ(waiting.links, 0u);
  clock.advance(1min);
  EXPECT_EQ(wait(late.collect({.grace = 80min})).links, 1u);
}

// Trees of layers: kept by their blob, by those who run on them, by their age.
TEST(CollectionPlan, ATreeGoesWithItsBlobAndNeverUnderATask) {
  const core::TimePoint cutoff(core::Millis(1000));
  KeepSet stays, in_use, none;
  stays.add(digest_of("blob"));
  in_use.add(digest_of("tree"));
  for (auto* set : {&stays, &in_use, &none}) set->seal();
  image::LayerStore::Tree tree{digest_of("tree"), digest_of("blob"), cutoff - 1ms};
  EXPECT_FALSE(goes(tree, stays, none, cutoff));
  EXPECT_FALSE(goes(tree, none, in_use, cutoff));
  EXPECT_TRUE(goes(tree, none, none, cutoff));
  tree.used = cutoff;
  EXPECT_FALSE(goes(tree, none, none, cutoff));
  tree = {digest_of("tree"), std::nullopt, cutoff - 1ms};
  EXPECT_TRUE(goes(tree, stays, none, cutoff));
}

// One client that pushes an image as clients do, a request a step: asks for each blob, mounts or uploads what
// is absent, then sends the manifest, which must be taken.
class Pusher {
 public:
  Pusher(CollectionTest& world, std::mt19937& random) : world_(world), random_(random) {}
  bool idle() const { return blobs_.empty(); }
  void abandon() {
    blobs_.clear();
    upload_.reset();
  }

  void step() {
    if (idle()) return begin();
    if (upload_) return go_on();
    if (next_ == blobs_.size()) return finish();
    const auto digest = digest_of(blobs_[next_]);
    if (world_.on_control([&] { return world_.repositories.has_blob(repository_, digest); })) {
      ++next_;
      return;
    }
    const auto other = CollectionTest::id(repository_.name == "a" ? "b" : "a");
    if (world_.on_control([&] { return world_.repositories.has_blob(other, digest); }) &&
        world_.content.has(digest)) {
      world_.wait(world_.repositories.link_blob(repository_, digest));
      ++next_;
      return;
    }
    auto started = world_.uploads.start(repository_);
    upload_.emplace(std::move(*started));
  }

 private:
  void begin() {
    repository_ = CollectionTest::id(random_() % 2 ? "a" : "b");
    blobs_ = {"config " + std::to_string(random_() % 3)};
    for (int i = 0; i < 4; ++i) {
      if (random_() % 2) blobs_.push_back("layer " + std::to_string(i));
    }
    next_ = 0;
    finished_ = false;
  }
  void go_on() {
    if (!finished_) {
      (*upload_)->writer.write(blobs_[next_]);
      (*upload_)->writer.finish(digest_of(blobs_[next_]));
      finished_ = true;
      return;
    }
    world_.wait(world_.repositories.link_blob(repository_, digest_of(blobs_[next_])));
    upload_->drop();
    upload_.reset();
    finished_ = false;
    ++next_;
  }
  void finish() {
    auto upload = ManifestUpload::read(CollectionTest::manifest(blobs_), image::kOciManifest);
    world_.wait(
        world_.repositories.put_image(repository_, std::move(upload), "t" + std::to_string(random_() % 3)));
    blobs_.clear();
  }

  CollectionTest& world_;
  std::mt19937& random_;
  RepositoryId repository_;
  std::vector<std::string> blobs_;
  std::size_t next_ = 0;
  std::optional<Uploads::Claim> upload_;
  bool finished_ = false;
};

struct Interleaving : CollectionTest, ::testing::WithParamInterface<int> {};

TEST_P(Interleaving, NothingNeededGoesWhateverHappensBetweenTwoSteps) {
  const auto seed = static_cast<unsigned>(GetParam());
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (const auto* name : {"a", "b"}) wait(repositories.create(id(name), {}));
  std::array<Pusher, 3> pushers{Pusher(*this, random), Pusher(*this, random), Pusher(*this, random)};
  std::unique_ptr<Collector::Pass> pass;
  for (int i = 0; i < 700; ++i) {
    clock.advance(core::Millis(random() % 3));
    const auto act = random() % 10;
    if (act < 4) {
      ASSERT_NO_THROW(pushers[random() % pushers.size()].step());
    } else if (act == 4) {
      const auto images = on_control([&] {
        std::vector<std::string> keys;
        for (const auto& [key, row] : repositories.images()) keys.push_back(key);
        return keys;
      });
      if (images.empty()) continue;
      const auto& key = images[random() % images.size()];
      wait(repositories.remove_image(id(std::string(name_of_key(key.substr(0, key.rfind('@'))))),
                                     digest_of_key(key)));
    } else if (act == 5 && random() % 8 == 0) {
      // Long after: clients that took longer than the grace have been given up.
      for (auto& pusher : pushers) pusher.abandon();
      clock.advance(3 * kGrace);
    } else {
      if (!pass) pass = collector.begin({.grace = kGrace});
      if (!wait(pass->step())) pass.reset();
    }
    ASSERT_EQ(missing(), "") << "step " << i;
  }
  for (auto& pusher : pushers) pusher.abandon();
  for (const auto* name : {"a", "b"}) wait(repositories.remove(id(name), true));
  clock.advance(2 * kGrace);
  collect(0ms);
  EXPECT_EQ(blobs(), 0u) << "a leak";
}
INSTANTIATE_TEST_SUITE_P(Seeds, Interleaving, ::testing::Range(1, 41));

}  // namespace
}  // namespace sampan::ecr
