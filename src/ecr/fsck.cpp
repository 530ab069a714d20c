#include "ecr/fsck.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "core/log.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kPiece = 4 * 1024 * 1024;
constexpr std::size_t kRowsASlice = 2000;
constexpr std::size_t kMostDamage = 10'000;  // more than anybody reads

// "…/name@sha256:…" of an image names `blob`.
bool names(const std::string& key, const ImageRow& row, const image::Digest& blob) {
  if (digest_of_key(key) == blob) return true;
  const auto has = [&blob](const std::vector<image::Digest>& all) {
    return std::find(all.begin(), all.end(), blob) != all.end();
  };
  return has(row.blobs) || has(row.children);
}

std::string title(const std::string& key, const ImageRow& row) {
  return row.tags.empty() ? key : fmt::format("{} (tags {})", key, fmt::join(row.tags, ", "));
}

}  // namespace

// One blob, read to its end in pieces.
struct Fsck::Reading {
  explicit Reading(const image::Digest& digest) : hash(digest.algorithm()) {}
  io::UniqueFd file;
  core::Hasher hash;
  std::uint64_t size = 0;
  std::string failure;
  bool ended = false;

  void piece() {
    static thread_local std::vector<char> buffer(kPiece);
    const auto got = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off64_t>(size));
    ended = got <= 0;
    if (got < 0) failure = core::errno_error("read").what();
    if (got <= 0) return;
    hash.update({buffer.data(), static_cast<std::size_t>(got)});
    // It need not stay in memory: it was read for once.
    ::posix_fadvise(file.get(), static_cast<off64_t>(size), got, POSIX_FADV_DONTNEED);
    size += static_cast<std::uint64_t>(got);
  }
};

std::string_view to_text(Damage::What what) {
  switch (what) {
    case Damage::What::kDiffers:
      return "differs";
    case Damage::What::kCut:
      return "cut short";
    case Damage::What::kMissing:
      return "missing";
    default:
      return "unreadable";
  }
}

std::string describe(const Damage& damage) {
  auto text = fmt::format("{} {}", to_text(damage.what), damage.blob.str());
  if (!damage.detail.empty()) text += ": " + damage.detail;
  if (damage.set_aside) text += " (set aside: push it again)";
  for (const auto& image : damage.images) text += "\n    needed by " + image;
  return text;
}

io::Awaitable<FsckReport> Fsck::run(FsckOptions options, Progress progress) {
  FsckReport report;
  const auto began = clock_.now();
  std::vector<image::Digest> present;
  auto* content = &content_;
  co_await io::offload(executors_, [content, &present] {
    content->for_each([&present](const image::Digest& digest, std::uint64_t) { present.push_back(digest); });
  });
  for (const auto& digest : present) {
    co_await read_blob(digest, options, report);
    if (progress) progress(report.bytes);
    if (options.rate == 0) continue;
    // The time that so many bytes may take, less what they took.
    const core::Millis due(report.bytes * 1000 / options.rate);
    const auto ahead = due - (clock_.now() - began);
    if (ahead > core::Millis(5)) co_await io::sleep_for(ahead);
  }
  co_await find_missing(present, report);
  co_await name_images(report);
  co_await say_lengths(report);
  report.took = clock_.now() - began;
  co_return report;
}

io::Awaitable<void> Fsck::read_blob(const image::Digest& digest, const FsckOptions& options,
                                    FsckReport& report) {
  Reading reading(digest);
  auto* content = &content_;
  try {
    reading.file = co_await io::offload(executors_, [content, &digest] { return content->open(digest); });
  } catch (const core::Error& error) {
    if (!content_.size(digest)) co_return;  // collected meanwhile
    reading.failure = error.what();
    reading.ended = true;
  }
  while (!reading.ended) {
    const auto began = clock_.now();
    const auto before = reading.size;
    co_await io::offload(executors_, [&reading] { reading.piece(); });
    if (options.rate == 0 || reading.ended) continue;
    const core::Millis due((reading.size - before) * 1000 / options.rate);
    const auto ahead = due - (clock_.now() - began);
    if (ahead > core::Millis(1)) co_await io::sleep_for(ahead);
  }
  ++report.blobs;
  report.bytes += reading.size;
  Damage damage{digest, Damage::What::kUnreadable, reading.size, reading.failure};
  if (reading.failure.empty()) {
    const auto actual = image::Digest::from_hex(digest.algorithm(), reading.hash.finish_hex());
    if (actual == digest) co_return;
    damage.what = Damage::What::kDiffers;
    damage.detail = fmt::format("its {} bytes have the digest {}", reading.size, actual->str());
  }
  core::log::error("fsck: blob {} is damaged: {}", digest.str(), damage.detail);
  if (options.repair) {
    // A push may have replaced it while it was read: only the file that was read is put aside.
    const int file = reading.file.get();
    damage.set_aside = co_await io::offload(
        executors_, [content, &digest, file] { return content->set_aside(digest, file); });
  }
  if (report.damage.size() < kMostDamage) report.damage.push_back(std::move(damage));
}

io::Awaitable<void> Fsck::find_missing(const std::vector<image::Digest>& present, FsckReport& report) {
  KeepSet here, named;
  for (const auto& digest : present) here.add(digest);
  if (auto* tier = repositories_.tier()) {  // what is there can be brought
    co_await tier->store().list([&here](const image::BlobStore::Found& found) { here.add(found.digest); });
  }
  here.seal();
  std::set<image::Digest> missing;
  const auto need = [&](const image::Digest& digest) {
    named.add(digest);
    if (here.contains(digest) || content_.size(digest)) return;  // or it came meanwhile
    if (missing.size() < kMostDamage && missing.insert(digest).second)
      report.damage.push_back({digest, Damage::What::kMissing});
  };
  std::string cursor;
  for (bool more = true; more;) {
    const auto& images = repositories_.images();
    auto row = images.lower_bound(cursor);
    for (std::size_t seen = 0; row != images.end() && seen < kRowsASlice; ++row, ++seen) {
      ++report.images;
      need(digest_of_key(row->first));
      for (const auto& blob : row->second.value.blobs) need(blob);
    }
    more = row != images.end();
    if (more) cursor = row->first;
    co_await io::asio::post(executors_.control(), io::asio::use_awaitable);
  }
  const auto& links = repositories_.links();
  cursor.clear();
  for (bool more = true; more;) {
    auto row = links.lower_bound(cursor);
    for (std::size_t seen = 0; row != links.end() && seen < kRowsASlice; ++row, ++seen)
      need(digest_of_key(row->first));
    more = row != links.end();
    if (more) cursor = row->first;
    co_await io::asio::post(executors_.control(), io::asio::use_awaitable);
  }
  named.seal();
  for (const auto& digest : present) report.unnamed += named.contains(digest) ? 0 : 1;
}

// Which images each damaged blob hurts. What no row names any more went while we looked.
io::Awaitable<void> Fsck::name_images(FsckReport& report) {
  if (report.damage.empty()) co_return;
  for (const auto& [key, row] : repositories_.images()) {
    for (auto& damage : report.damage) {
      if (names(key, row.value, damage.blob)) damage.images.push_back(title(key, row.value));
    }
  }
  for (const auto& [key, row] : repositories_.links()) {
    for (auto& damage : report.damage) {
      if (damage.images.empty() && key.ends_with(damage.blob.str()))
        damage.images.push_back(key + " (no image)");
    }
  }
  std::erase_if(report.damage, [](const Damage& damage) {
    return damage.what == Damage::What::kMissing && damage.images.empty();
  });
}

// A manifest that can be read says how long its blobs are.
io::Awaitable<void> Fsck::say_lengths(FsckReport& report) {
  for (auto& damage : report.damage) {
    if (damage.what != Damage::What::kDiffers || damage.images.empty()) continue;
    const auto key = damage.images.front().substr(0, damage.images.front().find(' '));
    const auto manifest = digest_of_key(key);
    if (manifest == damage.blob) continue;
    try {
      auto* content = &content_;
      const auto text = co_await io::offload(
          executors_, [content, &manifest] { return content->read(manifest, image::kLargestManifest); });
      const auto read = image::parse_manifest(text);
      auto blobs = read.layers;
      if (read.config) blobs.push_back(*read.config);
      for (const auto& blob : blobs) {
        if (blob.digest != damage.blob || blob.size <= damage.size) continue;
        damage.what = Damage::What::kCut;
        damage.detail = fmt::format("{} bytes instead of {}", damage.size, blob.size);
      }
    } catch (const core::Error&) {
      // The manifest is damaged too, and said to be.
    }
  }
}

}  // namespace sampan::ecr
