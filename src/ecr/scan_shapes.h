// Scans in the ECR API's shapes. Pure.
#pragma once

#include "api/ecr.h"
#include "aws/paging.h"
#include "ecr/scans.h"

namespace sampan::ecr {

// An image and its scan, as they were when they were asked for.
struct ScannedImage {
  RepositoryId repository;
  image::Digest digest;
  ImageRow image;
  ScanRow scan;
  bool enhanced = false;  // the registry's scan type: which shape findings have
};

api::ecr::RegistryScanningConfiguration render_scan_rules(const ScanRulesRow& row);
api::ecr::RepositoryScanningConfiguration render_scan_plan(const RepositoryId& id, const ScanPlan& plan);
api::ecr::ImageScanStatus render_scan_status(const ScanView& view);
// The findings of one page; counts and times are the whole scan's.
api::ecr::ImageScanFindings render_findings(const ScannedImage& image, const scan::Report& report,
                                            aws::Page& page);
// What DescribeImages tells of an image's scan; nothing is set for one that has none.
void describe_scan(const Scans& scans, const RepositoryId& id, const image::Digest& digest,
                   api::ecr::ImageDetail& detail);

}  // namespace sampan::ecr
