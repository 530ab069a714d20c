// What replication stores, so that it goes on after any crash and can be asked about:
//   /ecr/replication/rules/<account>/<region>                    the configuration, as the API has it
//   /ecr/replication/images/<image key> <region>/<account>       ReplicationRow: one an image and destination
// The row of an image comes in the transaction that makes the image (or its tag) and goes with the image.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "ecr/names.h"
#include "ecr/replication_rules.h"
#include "store/table.h"

namespace sampan::ecr {

struct ReplicationKey {
  RepositoryId repository;
  image::Digest digest;
  Destination destination;

  std::string str() const { return repository.image_key(digest) + ' ' + destination.str(); }
  // Of a key that str() made.
  static ReplicationKey parse(std::string_view text);
};

struct ReplicationRow {
  enum class Status { kInProgress, kComplete, kFailed };
  Status status = Status::kInProgress;
  std::vector<std::string> tags;  // that the destination is still to get
  core::TimePoint since{};        // when the image, or its newest tag, came
  std::string failure_code;       // of the last try, also while it goes on trying
  std::string failure_reason;
  bool operator==(const ReplicationRow&) const = default;
};

std::string_view to_text(ReplicationRow::Status status);

}  // namespace sampan::ecr

template <>
struct sampan::store::RowCodec<sampan::ecr::ReplicationRow> {
  static std::string encode(const ecr::ReplicationRow& row);
  static ecr::ReplicationRow decode(std::string_view text);
};
