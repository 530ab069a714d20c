// The files of image scanning:
//   <data-dir>/scans/inventories/ab/<manifest's digest>   an image's packages: read from its layers once
//   <data-dir>/scans/reports/ab/<hash of the report's name> what an image's last scan found
//   <data-dir>/scans/work/                                the database's details, downloads; swept at
//   start-up
// Rows say which of them count; a file that no row speaks of is removed at the next start.
//
// A report is named by its row (report_name()): the row of an image that goes and comes again names another.
// Thread-safe. Blocking. kill -9 leaves a whole file or none under a name.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "image/reference.h"
#include "scan/match.h"

namespace sampan::ecr {

class ScanFiles {
 public:
  explicit ScanFiles(const std::filesystem::path& data_dir);

  // Nothing when there is none, or when it cannot be read any more: it is made anew then.
  std::optional<scan::Inventory> inventory(const image::Digest& manifest) const;
  void keep_inventory(const image::Digest& manifest, const scan::Inventory& inventory);
  // Throws core::Error when there is none.
  scan::Report report(const std::string& name) const;
  void keep_report(const std::string& name, const scan::Report& report);
  void forget_report(const std::string& name);
  void forget_inventory(const image::Digest& manifest);
  // Removes what belongs to none of these.
  void sweep(const std::set<std::string>& reports, const std::set<image::Digest>& manifests);

  const std::filesystem::path& work() const { return work_; }

 private:
  std::filesystem::path inventory_path(const image::Digest& manifest) const;
  std::filesystem::path report_path(const std::string& name) const;

  std::filesystem::path inventories_, reports_, work_;
};

}  // namespace sampan::ecr
