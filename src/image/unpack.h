// Unpacks one layer's archive into a directory. The archive is hostile until proven otherwise: whatever its
// entries are called and whatever they link to, nothing outside the directory is created, changed or read.
//
// How: libarchive only reads. Every path is taken relative to the directory ("/etc/x" is "etc/x"), ".." is
// refused, and parents are opened by the kernel with RESOLVE_IN_ROOT, so that a symbolic link on the way is
// followed inside the directory or not at all; the last part of a path is never followed.
// Device nodes are skipped with a log line: a layer's word is no reason to give a container a device, and a
// runtime makes the usual ones. Set-user-id bits stay. trusted.* attributes are dropped (they steer
// overlayfs).
#pragma once

#include <cstdint>

#include "image/bytes.h"
#include "image/reference.h"

namespace sampan::image {

struct UnpackLimits {
  std::uint64_t bytes = 64ull << 30;  // of all files together, and of the uncompressed archive
  std::uint64_t entries = 2'000'000;
  std::size_t path_bytes = 4096;         // PATH_MAX
  std::size_t xattr_bytes = 256 * 1024;  // of one entry
};

struct Unpacked {
  Digest diff_id;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
};

// `archive`: tar, or tar in gzip or zstd (told by its first bytes). `root`: an open, empty directory.
// `algorithm` names the plain archive: the one of the diff id that is expected.
// Throws core::Error naming the entry; what was unpacked so far stays for the caller to remove. Blocking.
Unpacked unpack_layer(ByteSource& archive, int root, const UnpackLimits& limits = {},
                      core::HashAlgorithm algorithm = core::HashAlgorithm::kSha256);

}  // namespace sampan::image
