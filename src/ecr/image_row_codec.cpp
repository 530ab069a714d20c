#include "ecr/image_row_codec.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "image/manifest.h"
#include "store/packed.h"

namespace sampan::ecr {
namespace {

namespace json = boost::json;
using store::PackedReader;
using store::PackedWriter;

enum Field : std::uint8_t {
  kMediaType = 1,       // text
  kKnownMediaType = 2,  // number: of kKnownMediaTypes, from 1 on
  kArtifactType = 3,    // text
  kSize = 4,            // number
  kPushedAt = 5,        // number: milliseconds since 1970, as all times
  kPulledAt = 6,        // number
  kTags = 7,            // texts
  kChildren = 8,        // texts: raw digests, 32 or 64 bytes
  kBlobs = 9,           // texts: raw digests
  kSubject = 10,        // text: a raw digest
  kArchivedAt = 11,     // number
  kActivatedAt = 12,    // number
};

// Written as their place in this list: append only.
const std::array<std::string_view, 4> kKnownMediaTypes = {image::kOciManifest, image::kOciIndex,
                                                          image::kDockerManifest, image::kDockerList};

constexpr std::size_t kLongestTag = 128;  // OCI's

[[noreturn]] void bad_row(const std::string& why) {
  throw core::Error("read an image's row", why);
}

std::uint64_t to_number(core::TimePoint time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

core::TimePoint to_time(std::uint64_t number) {
  return core::TimePoint(core::Millis(static_cast<std::int64_t>(number)));
}

std::string_view check_raw(std::string_view raw) {
  if (raw.size() != 32 && raw.size() != 64) bad_row(fmt::format("a digest of {} bytes", raw.size()));
  return raw;
}

std::string_view check_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > kLongestTag) bad_row(fmt::format("a tag of {} bytes", tag.size()));
  return tag;
}

image::Digest digest_from_raw(std::string_view raw) {
  return *image::Digest::from_raw(check_raw(raw));
}

image::Digest digest_from_hex(std::string_view hex) {
  const auto algorithm = hex.size() == 64 ? core::HashAlgorithm::kSha256 : core::HashAlgorithm::kSha512;
  auto digest = image::Digest::from_hex(algorithm, hex);
  if (!digest) bad_row("it holds a bad digest");
  return *digest;
}

std::string_view known_media_type(std::uint64_t number) {
  if (number == 0 || number > kKnownMediaTypes.size()) bad_row(fmt::format("media type {}", number));
  return kKnownMediaTypes[number - 1];
}

void put_media_type(PackedWriter& writer, const std::string& type) {
  const auto known = std::ranges::find(kKnownMediaTypes, type);
  if (known == kKnownMediaTypes.end()) {
    writer.text(kMediaType, type);
  } else {
    writer.number(kKnownMediaType, static_cast<std::uint64_t>(known - kKnownMediaTypes.begin()) + 1);
  }
}

void put_digests(PackedWriter& writer, Field field, const std::vector<image::Digest>& digests) {
  if (digests.empty()) return;
  PackedWriter::Items items;
  for (const auto& digest : digests) items.item(digest.raw());
  writer.items(field, items);
}

void take_digests(const PackedReader& reader, std::vector<image::Digest>& digests) {
  std::string_view raw;
  for (auto items = reader.items(); items.next(raw);) digests.push_back(digest_from_raw(raw));
}

void take_field(const PackedReader& reader, ImageRow& row) {
  switch (reader.field()) {
    case kMediaType:
      row.media_type = reader.text();
      return;
    case kKnownMediaType:
      row.media_type = known_media_type(reader.number());
      return;
    case kArtifactType:
      row.artifact_type = reader.text();
      return;
    case kSize:
      row.size = reader.number();
      return;
    case kPushedAt:
      row.pushed_at = to_time(reader.number());
      return;
    case kPulledAt:
      row.pulled_at = to_time(reader.number());
      return;
    case kTags: {
      std::string_view tag;
      for (auto items = reader.items(); items.next(tag);) row.tags.emplace_back(check_tag(tag));
      return;
    }
    case kChildren:
      return take_digests(reader, row.children);
    case kBlobs:
      return take_digests(reader, row.blobs);
    case kSubject:
      row.subject = digest_from_raw(reader.text());
      return;
    case kArchivedAt:
      row.archived_at = to_time(reader.number());
      return;
    case kActivatedAt:
      row.activated_at = to_time(reader.number());
      return;
    default:
      reader.refuse_field();
  }
}

// ---- the first versions' JSON

std::vector<image::Digest> old_digests(const json::object& object, std::string_view name) {
  std::vector<image::Digest> digests;
  if (const auto* value = object.if_contains(name)) {
    for (const auto& item : value->as_array()) digests.push_back(digest_from_hex(item.as_string()));
  }
  return digests;
}

std::string old_text(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value ? std::string(value->as_string()) : std::string();
}

ImageRow decode_old(std::string_view text) {
  try {
    const auto value = json::parse(text);
    const auto& object = value.as_object();
    const auto time = [](const json::value& number) {
      return core::TimePoint(core::Millis(number.to_number<std::int64_t>()));
    };
    ImageRow row;
    row.media_type = old_text(object, "type");
    row.artifact_type = old_text(object, "artifact");
    row.size = object.at("size").to_number<std::uint64_t>();
    row.pushed_at = time(object.at("pushed"));
    if (const auto* pulled = object.if_contains("pulled")) row.pulled_at = time(*pulled);
    if (const auto* tags = object.if_contains("tags")) {
      for (const auto& tag : tags->as_array()) row.tags.emplace_back(check_tag(tag.as_string()));
    }
    row.children = old_digests(object, "children");
    row.blobs = old_digests(object, "blobs");
    if (const auto* subject = object.if_contains("subject"))
      row.subject = digest_from_hex(subject->as_string());
    return row;
  } catch (const core::Error&) {
    throw;
  } catch (const std::exception& error) {
    bad_row(error.what());
  }
}

}  // namespace

bool was_archived(std::string_view row) {
  if (!store::is_packed(row)) return false;  // those in JSON are older than the archive
  for (PackedReader reader(row); reader.next();) {
    if (reader.field() == kArchivedAt) return true;
  }
  return false;
}

void ImageFacts::clear() {
  tags.clear();
  children.clear();
  blobs.clear();
  subject = {};
  own_.clear();
}

bool ImageFacts::same_relations(const ImageFacts& other) const {
  return children == other.children && blobs == other.blobs && subject == other.subject;
}

void ImageFacts::read(std::string_view row) {
  clear();
  if (store::is_packed(row)) {
    read_packed(row);
  } else {
    read_old(row);
  }
  if (!std::ranges::is_sorted(tags)) std::ranges::sort(tags);  // only a damaged row's are not
}

void ImageFacts::read_packed(std::string_view row) {
  const auto take = [](const PackedReader& reader, std::vector<std::string_view>& to) {
    std::string_view raw;
    for (auto items = reader.items(); items.next(raw);) to.push_back(check_raw(raw));
  };
  for (PackedReader reader(row); reader.next();) {
    switch (reader.field()) {
      case kTags: {
        std::string_view tag;
        for (auto items = reader.items(); items.next(tag);) tags.push_back(check_tag(tag));
        break;
      }
      case kChildren:
        take(reader, children);
        break;
      case kBlobs:
        take(reader, blobs);
        break;
      case kSubject:
        subject = check_raw(reader.text());
        break;
      default:
        // Nothing an index asks for; read all the same, so that a damaged row is found at the start.
        take_field(reader, ignored_);
    }
  }
}

void ImageFacts::read_old(std::string_view text) {
  auto row = decode_old(text);
  const auto keep = [this](std::string bytes) {
    return std::string_view(own_.emplace_back(std::move(bytes)));
  };
  for (auto& tag : row.tags) tags.push_back(keep(std::move(tag)));
  for (const auto& child : row.children) children.push_back(keep(child.raw()));
  for (const auto& blob : row.blobs) blobs.push_back(keep(blob.raw()));
  if (row.subject) subject = keep(row.subject->raw());
}

}  // namespace sampan::ecr

namespace sampan::store {
using namespace sampan::ecr;  // NOLINT: the codec is the row's own word

std::string RowCodec<ImageRow>::encode(const ImageRow& row) {
  PackedWriter writer;
  put_media_type(writer, row.media_type);
  if (!row.artifact_type.empty()) writer.text(kArtifactType, row.artifact_type);
  if (row.size != 0) writer.number(kSize, row.size);
  writer.number(kPushedAt, to_number(row.pushed_at));
  if (row.pulled_at) writer.number(kPulledAt, to_number(*row.pulled_at));
  if (!row.tags.empty()) writer.texts(kTags, row.tags);
  put_digests(writer, kChildren, row.children);
  put_digests(writer, kBlobs, row.blobs);
  if (row.subject) writer.text(kSubject, row.subject->raw());
  if (row.archived_at) writer.number(kArchivedAt, to_number(*row.archived_at));
  if (row.activated_at) writer.number(kActivatedAt, to_number(*row.activated_at));
  return writer.take();
}

ImageRow RowCodec<ImageRow>::decode(std::string_view bytes) {
  if (!is_packed(bytes)) return decode_old(bytes);
  ImageRow row;
  for (PackedReader reader(bytes); reader.next();) take_field(reader, row);
  return row;
}

}  // namespace sampan::store
