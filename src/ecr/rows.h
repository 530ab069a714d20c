// What the registry stores:
//   /ecr/repositories/<account>/<region>/<name>            RepositoryRow
//   /ecr/images/<account>/<region>/<name>@sha256:<hex>     ImageRow: one a manifest, its tags inside
//   /ecr/blobs/<account>/<region>/<name>@sha256:<hex>      BlobRow: the repository may show that blob
//   /ecr/pending/sha256:<hex>                              PendingRow: a manifest whose file may not be on
//   the disk yet /ecr/keys/token                                        TokenKeyRow
// Tags live in their image's row (ECR allows a thousand an image), so that a push writes one or two rows
// and a start reads one row an image, however many tags there are.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "image/reference.h"
#include "store/table.h"

namespace sampan::ecr {

struct RepositoryRow {
  core::TimePoint created_at{};
  std::string mutability = "MUTABLE";
  std::vector<std::string> exclusion_filters;  // wildcards
  bool scan_on_push = false;
  std::string encryption_type = "AES256";
  std::string kms_key;
  std::map<std::string, std::string> tags;  // of the resource
  bool operator==(const RepositoryRow&) const = default;
};

// Written packed: a new member gets a field in image_row_codec.cpp.
struct ImageRow {
  std::string media_type;
  std::string artifact_type;
  std::uint64_t size = 0;  // of configuration and layers, compressed
  core::TimePoint pushed_at{};
  std::optional<core::TimePoint> pulled_at;
  std::vector<std::string> tags;        // sorted
  std::vector<image::Digest> children;  // of an index
  std::vector<image::Digest> blobs;     // of an image: configuration and layers that must stay
  std::optional<image::Digest> subject;
  std::optional<core::TimePoint> archived_at;   // the last time; see storage_class.h
  std::optional<core::TimePoint> activated_at;  // when it came or comes back out of the archive
  bool operator==(const ImageRow&) const = default;
};

struct BlobRow {
  core::TimePoint linked_at{};
};

// A manifest's bytes, in the same commit as its ImageRow: one flush makes both durable. The row goes when the
// file in the content store has been flushed too, a moment later and many at once.
struct PendingRow {
  std::string bytes;
};

struct TokenKeyRow {
  std::string key;  // 32 random bytes
};

}  // namespace sampan::ecr

template <>
struct sampan::store::RowCodec<sampan::ecr::RepositoryRow> {
  static std::string encode(const ecr::RepositoryRow& row);
  static ecr::RepositoryRow decode(std::string_view text);
};
template <>
struct sampan::store::RowCodec<sampan::ecr::ImageRow> {
  static std::string encode(const ecr::ImageRow& row);
  static ecr::ImageRow decode(std::string_view text);
};
template <>
struct sampan::store::RowCodec<sampan::ecr::BlobRow> {
  static std::string encode(const ecr::BlobRow& row);
  static ecr::BlobRow decode(std::string_view text);
};
template <>
struct sampan::store::RowCodec<sampan::ecr::PendingRow> {
  static std::string encode(const ecr::PendingRow& row) { return row.bytes; }
  static ecr::PendingRow decode(std::string_view text) { return {std::string(text)}; }
};
template <>
struct sampan::store::RowCodec<sampan::ecr::TokenKeyRow> {
  static std::string encode(const ecr::TokenKeyRow& row);
  static ecr::TokenKeyRow decode(std::string_view text);
};
