#include "ecr/scan_files.h"

#include "core/encoding.h"
#include "core/error.h"
#include "core/log.h"
#include "io/file.h"

namespace sampan::ecr {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = 512 * 1024 * 1024;

fs::path place(const fs::path& root, std::string_view hex) {
  return root / hex.substr(0, 2) / hex;
}

void write(const fs::path& path, std::string_view bytes) {
  io::make_directories(path.parent_path(), 0700);
  io::replace_file(path, bytes, io::Durability::kFlushed, 0600);
}

void sweep_directory(const fs::path& root, const std::set<std::string>& keep) {
  std::error_code error;
  for (fs::recursive_directory_iterator walk(root, error), end; !error && walk != end;
       walk.increment(error)) {
    std::error_code ignored;
    if (!walk->is_regular_file(ignored) || keep.contains(walk->path().filename().string())) continue;
    fs::remove(walk->path(), ignored);
  }
}

}  // namespace

ScanFiles::ScanFiles(const fs::path& data_dir)
    : inventories_(data_dir / "scans" / "inventories"),
      reports_(data_dir / "scans" / "reports"),
      work_(data_dir / "scans" / "work") {}

fs::path ScanFiles::inventory_path(const image::Digest& manifest) const {
  return place(inventories_, manifest.hex());
}
fs::path ScanFiles::report_path(const std::string& name) const {
  return place(reports_, core::sha256_hex(name));
}

std::optional<scan::Inventory> ScanFiles::inventory(const image::Digest& manifest) const {
  try {
    const auto bytes = io::read_file_if_exists(inventory_path(manifest), kLargestFile);
    if (bytes) return scan::decode_inventory(*bytes);
  } catch (const core::Error& error) {
    core::log::warn("the kept inventory of {} is made anew: {}", manifest.str(), error.what());
  }
  return std::nullopt;
}

void ScanFiles::keep_inventory(const image::Digest& manifest, const scan::Inventory& inventory) {
  write(inventory_path(manifest), scan::encode_inventory(inventory));
}

scan::Report ScanFiles::report(const std::string& name) const {
  return scan::decode_report(io::read_file(report_path(name), kLargestFile));
}

void ScanFiles::keep_report(const std::string& name, const scan::Report& report) {
  write(report_path(name), scan::encode_report(report));
}

void ScanFiles::forget_report(const std::string& name) {
  std::error_code ignored;
  fs::remove(report_path(name), ignored);
}

void ScanFiles::forget_inventory(const image::Digest& manifest) {
  std::error_code ignored;
  fs::remove(inventory_path(manifest), ignored);
}

void ScanFiles::sweep(const std::set<std::string>& reports, const std::set<image::Digest>& manifests) {
  std::set<std::string> keep;
  for (const auto& name : reports) keep.insert(core::sha256_hex(name));
  sweep_directory(reports_, keep);
  keep.clear();
  for (const auto& digest : manifests) keep.emplace(digest.hex());
  sweep_directory(inventories_, keep);
}

}  // namespace sampan::ecr
