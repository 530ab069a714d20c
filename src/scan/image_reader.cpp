#include "scan/image_reader.h"

#include <fmt/core.h>

#include "core/log.h"
#include "scan/archive.h"
#include "scan/go_binary.h"
#include "scan/jar.h"

namespace sampan::scan {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaqueName = ".wh..wh..opq";
constexpr std::string_view kAufsPrivate = ".wh..wh.";
constexpr std::string_view kElf =
    "\x7f"
    "ELF";
constexpr std::size_t kLongestPath = 4096;

// Counts what comes out of the decompressor, so that no archive runs for ever.
class LimitedSource final : public image::ByteSource {
 public:
  LimitedSource(image::ByteSource& source, std::uint64_t& left, const std::stop_token& stop)
      : source_(source), left_(left), stop_(stop) {}
  std::size_t read(std::span<char> buffer) override {
    if (stop_.stop_requested()) throw Stopped();
    const auto got = source_.read(buffer);
    if (got > left_) throw core::Error("read the layer", "the image unpacks to more bytes than are scanned");
    left_ -= got;
    return got;
  }

 private:
  image::ByteSource& source_;
  std::uint64_t& left_;
  const std::stop_token& stop_;
};

class Reading {
 public:
  Reading(const ReadLimits& limits, const std::stop_token& stop)
      : limits_(limits), stop_(stop), bytes_left_(limits.bytes) {}

  void read_layer(image::ByteSource& compressed) {
    files_.begin_layer();
    const auto plain = image::decompressed(compressed);
    LimitedSource limited(*plain, bytes_left_, stop_);
    auto archive = Archive::tar(limited);
    Archive::Entry entry;
    while (archive.next(entry)) {
      if (++entries_ > limits_.entries) throw core::Error("read the layer", "the image has too many files");
      apply(archive, entry);
      if (files_.memory() > limits_.memory) {
        throw core::Error("read the layer", "the image has too many packages");
      }
    }
  }

  Inventory finish() {
    auto inventory = files_.finish();
    inventory.notes = std::move(notes_);
    return inventory;
  }

 private:
  void note(const std::string& path, std::string_view why) {
    if (notes_.size() < limits_.notes) notes_.push_back(fmt::format("{}: {}", path.substr(0, 200), why));
  }

  void apply(Archive& archive, const Archive::Entry& entry) {
    if (entry.path.size() > kLongestPath) return;
    const auto path = normal_path(entry.path);
    if (!path) return;  // the root itself, or a way out of it
    const auto slash = path->rfind('/');
    const auto name = std::string_view(*path).substr(slash == std::string::npos ? 0 : slash + 1);
    if (name.starts_with(kWhiteout))
      return apply_whiteout(slash == std::string::npos ? "" : path->substr(0, slash), name);
    switch (entry.type) {
      case Archive::Type::kDirectory:
        return;
      case Archive::Type::kFile:
        return files_.place(*path, read_file(archive, *path));
      case Archive::Type::kHardLink:
        if (const auto target = normal_path(entry.target)) return files_.link(*path, *target);
        return;
      case Archive::Type::kOther:
        return files_.place(*path, std::nullopt);
    }
  }

  void apply_whiteout(const std::string& directory, std::string_view name) {
    if (name == kOpaqueName) return files_.hide_below(directory);
    if (name.starts_with(kAufsPrivate)) return;
    const auto hidden = name.substr(kWhiteout.size());
    if (hidden.empty() || hidden == "." || hidden == "..") return;
    files_.hide(directory.empty() ? std::string(hidden) : directory + '/' + std::string(hidden));
  }

  // Damage of the layer itself passes through; of one file in it, it is a note.
  std::optional<ImageFiles::Facts> read_file(Archive& archive, const std::string& path) {
    const auto kind = kind_of(path);
    if (!kind) return read_executable(archive, path);
    if (*kind == FileKind::kGemspec) return parse(path, *kind, {});
    std::string text;
    const auto limit = size_limit(*kind);
    for (auto piece = archive.read(); !piece.empty(); piece = archive.read()) {
      if (text.size() + piece.size() > limit) {
        note(path, fmt::format("it has more than the {} bytes that are read", limit));
        return std::nullopt;
      }
      text.append(piece.data(), piece.size());
    }
    try {
      return parse(path, *kind, text);
    } catch (const std::exception& error) {
      note(path, error.what());
      return std::nullopt;
    }
  }

  std::optional<ImageFiles::Facts> parse(const std::string& path, FileKind kind, const std::string& text) {
    ImageFiles::Facts facts{kind, {}, {}};
    if (kind == FileKind::kOsRelease) {
      facts.os = parse_os_release(text);
    } else if (kind == FileKind::kJar) {
      facts.packages = read_jar(text, path);
    } else if (kind == FileKind::kRpmDatabase) {
      note(path, "rpm's database is not read: the distribution's own packages are missing here");
    } else {
      facts.packages = parse_packages(kind, path, text);
    }
    return facts;
  }

  std::optional<ImageFiles::Facts> read_executable(Archive& archive, const std::string& path) {
    auto piece = archive.read();
    if (!std::string_view(piece.data(), piece.size()).starts_with(kElf)) return std::nullopt;
    GoBinary program;
    for (; !piece.empty() && !program.done(); piece = archive.read()) program.feed(piece);
    auto packages = program.finish();
    std::erase_if(packages, [](const Package& package) {
      return package.name.empty() || package.name.size() > kLongestName || package.version.empty() ||
             package.version.size() > kLongestVersion;
    });
    if (packages.empty()) return std::nullopt;
    for (auto& package : packages) package.path = path;
    return ImageFiles::Facts{FileKind::kExecutable, {}, std::move(packages)};
  }

  const ReadLimits& limits_;
  const std::stop_token& stop_;
  std::uint64_t bytes_left_;
  std::uint64_t entries_ = 0;
  std::vector<std::string> notes_;
  ImageFiles files_;
};

}  // namespace

Inventory read_layers(std::size_t count, const OpenLayer& open, const ReadLimits& limits,
                      std::stop_token stop) {
  Reading reading(limits, stop);
  for (std::size_t i = 0; i < count; ++i) {
    const auto layer = open(i);
    reading.read_layer(*layer);
  }
  return reading.finish();
}

Inventory read_image(const image::ContentStore& content, const image::Manifest& manifest,
                     const ReadLimits& limits, std::stop_token stop) {
  const auto open = [&](std::size_t index) -> std::unique_ptr<image::ByteSource> {
    return std::make_unique<image::FileSource>(content.open(manifest.layers[index].digest));
  };
  return read_layers(manifest.layers.size(), open, limits, std::move(stop));
}

}  // namespace sampan::scan
