#include "ecr/storage_class.h"

namespace sampan::ecr {

ImageStatus status_of(const ImageRow& row, core::TimePoint now) {
  if (!row.archived_at) return ImageStatus::kActive;
  if (!row.activated_at || *row.activated_at < *row.archived_at) return ImageStatus::kArchived;
  return now < *row.activated_at ? ImageStatus::kActivating : ImageStatus::kActive;
}

std::string_view status_name(ImageStatus status) {
  switch (status) {
    case ImageStatus::kArchived:
      return "ARCHIVED";
    case ImageStatus::kActivating:
      return "ACTIVATING";
    case ImageStatus::kActive:
      break;
  }
  return "ACTIVE";
}

void archive(ImageRow& row, core::TimePoint now) {
  // Never before the activation that it follows, whatever the clock says.
  row.archived_at = row.activated_at ? std::max(now, *row.activated_at + core::Millis(1)) : now;
}

void restore(ImageRow& row, core::TimePoint now) {
  row.activated_at = std::max(now, *row.archived_at) + kActivation;
}

void wake(ImageRow& row, core::TimePoint now) {
  if (status_of(row, now) != ImageStatus::kActive) row.activated_at = std::max(now, *row.archived_at);
}

}  // namespace sampan::ecr
