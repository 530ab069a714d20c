// Makes layers: a deterministic tar (sorted names, one normal form of headers), compressed with gzip, placed
// in the content store. Both digests and the compressed bytes come out of one pass over the files.
//
// The same tree gives the same bytes on every machine and at any number of threads. No access times, no
// user names. What a layer cannot hold (sockets) is left out with a log line.
//
// Blocking, several threads inside: call on the blocking pool.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/bytes.h"
#include "image/content_store.h"
#include "image/layer.h"

namespace sampan::image {

struct LayerOptions {
  int level = 1;  // of igzip: 0 (fastest) to 3 (smallest)
  // Modification times later than this (seconds since 1970) are written as this: reproducible builds.
  std::optional<std::int64_t> latest_mtime;
  io::Durability durability = io::Durability::kFlushed;
};

// The layer that an overlayfs upper directory stands for: character device 0/0 becomes a `.wh.` file,
// trusted.overlay.opaque becomes `.wh..wh..opq`; other trusted.overlay.* attributes are not written (mount
// with metacopy=off,redirect_dir=off). Hard links, owners, modes, set-user-id bits, mtimes (whole seconds),
// user.* and security.capability attributes are kept.
LayerDescriptor write_layer_from_upper(const std::filesystem::path& upper, ContentStore& content,
                                       const LayerOptions& options = {});

// One thing to put into a layer. Entries are sorted by path and parents are not invented.
struct LayerEntry {
  enum class Type { kFile, kDirectory, kSymlink, kHardLink, kWhiteout, kOpaque };
  std::string path;  // inside the image, relative: "usr/bin/x"; for kWhiteout the name that goes, for kOpaque
                     // the directory
  Type type = Type::kFile;
  std::uint32_t mode = 0644;  // permission bits, set-user-id and sticky included
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t mtime = 0;
  std::string link_target;       // of kSymlink (as written) and kHardLink (a path inside the layer)
  std::filesystem::path source;  // kFile: the file to copy, or, when empty,
  std::string bytes;             //        these bytes
  std::map<std::string, std::string> xattrs;
};

// A layer from a finished tar, taken byte by byte as it is (a root file system that another program packed).
LayerDescriptor write_layer_from_tar(ByteSource& tar, ContentStore& content,
                                     const LayerOptions& options = {});

LayerDescriptor write_layer(std::vector<LayerEntry> entries, ContentStore& content,
                            const LayerOptions& options = {});

}  // namespace sampan::image
