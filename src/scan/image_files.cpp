#include "scan/image_files.h"

#include <algorithm>

namespace sampan::scan {
namespace {

// A project that has a go.mod of this module generation lists in go.sum what it does not use as well.
void drop_sums_beside_mods(std::map<std::string, ImageFiles::Facts, std::less<>>& files) {
  std::erase_if(files, [&](const auto& file) {
    if (file.second.kind != FileKind::kGoSum) return false;
    const auto mod = file.first.substr(0, file.first.size() - 3) + "mod";
    const auto found = files.find(mod);
    return found != files.end() && !found->second.packages.empty();
  });
}

std::size_t size_of(const ImageFiles::Facts& facts) {
  std::size_t size = sizeof(facts);
  for (const auto& package : facts.packages) {
    size += sizeof(package) + package.name.size() + package.version.size() + package.source_name.size() +
            package.source_version.size() + package.architecture.size() + package.path.size();
  }
  return size;
}

}  // namespace

std::optional<std::string> normal_path(std::string_view path) {
  std::string normal;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    path.remove_prefix(slash == path.npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    if (!normal.empty()) normal += '/';
    normal += part;
  }
  if (normal.empty()) return std::nullopt;
  return normal;
}

void ImageFiles::begin_layer() {
  beneath_.merge(here_);  // what this layer placed was erased from beneath
  here_.clear();
}

void ImageFiles::hide(const std::string& path) {
  erase(beneath_, path);
}

void ImageFiles::hide_below(const std::string& path) {
  erase_below(beneath_, path);
}

void ImageFiles::place(const std::string& path, std::optional<Facts> facts) {
  erase(beneath_, path);
  erase(here_, path);
  if (!facts) return;
  memory_ += size_of(*facts);
  here_.emplace(path, std::move(*facts));
}

void ImageFiles::link(const std::string& path, const std::string& target) {
  std::optional<Facts> facts;
  const auto kind = kind_of(path);
  for (const auto* files : {&here_, &beneath_}) {
    const auto found = files->find(target);
    if (facts || found == files->end()) continue;
    if (kind == found->second.kind || found->second.kind == FileKind::kExecutable) facts = found->second;
  }
  if (facts) {
    for (auto& package : facts->packages) package.path = path;
  }
  place(path, std::move(facts));
}

ImageFiles::Files::iterator ImageFiles::drop(Files& files, Files::iterator file) {
  memory_ -= size_of(file->second);
  return files.erase(file);
}

void ImageFiles::erase(Files& files, const std::string& path) {
  if (const auto found = files.find(path); found != files.end()) drop(files, found);
  erase_below(files, path);
}

void ImageFiles::erase_below(Files& files, const std::string& path) {
  if (files.empty()) return;
  if (path.empty()) {  // the root itself
    while (!files.empty()) drop(files, files.begin());
    return;
  }
  const auto prefix = path + '/';
  for (auto file = files.lower_bound(prefix); file != files.end() && file->first.starts_with(prefix);) {
    file = drop(files, file);
  }
}

Inventory ImageFiles::finish() {
  begin_layer();
  drop_sums_beside_mods(beneath_);
  Inventory inventory;
  for (auto& [path, facts] : beneath_) {
    // /etc's comes first in order and wins, as for every program that reads it.
    if (facts.kind == FileKind::kOsRelease && inventory.os.id.empty()) inventory.os = facts.os;
    auto& all = inventory.packages;
    all.insert(all.end(), std::make_move_iterator(facts.packages.begin()),
               std::make_move_iterator(facts.packages.end()));
  }
  beneath_.clear();
  std::sort(inventory.packages.begin(), inventory.packages.end());
  inventory.packages.erase(std::unique(inventory.packages.begin(), inventory.packages.end()),
                           inventory.packages.end());
  return inventory;
}

}  // namespace sampan::scan
