// Checks the registry's storage against itself: reads every blob and compares it with its digest, and looks
// for every blob that a row names.
//
// Beside traffic: what is read is limited to `rate` bytes a second, and what comes or goes meanwhile is not
// damage. With `repair`, a damaged blob is put aside (blobs/damaged/): it is not served any more, and the
// next push of it is taken, which heals every image that names it. Nothing is invented: what is lost can only
// come from a push.
//
// Call on the control strand; the reading is done on the blocking pool.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ecr/collection.h"
#include "ecr/repositories.h"

namespace sampan::ecr {

struct FsckOptions {
  bool repair = false;
  std::uint64_t rate = 256ull << 20;  // bytes a second; 0: as fast as the disk
};

struct Damage {
  enum class What { kDiffers, kCut, kMissing, kUnreadable };
  image::Digest blob;
  What what = What::kDiffers;
  std::uint64_t size = 0;           // of what is there
  std::string detail;               // "its bytes have the digest sha256:…", "64 bytes instead of 128"
  std::vector<std::string> images;  // "000000000000/us-east-1/team/app@sha256:… (tags 1, latest)"
  bool set_aside = false;
};

struct FsckReport {
  std::uint64_t blobs = 0;  // read
  std::uint64_t bytes = 0;
  std::uint64_t images = 0;   // rows looked at
  std::uint64_t unnamed = 0;  // blobs that no row names: collection's, not damage
  std::vector<Damage> damage;
  core::Millis took{};
};

class Fsck {
 public:
  Fsck(io::Executors& executors, core::Clock& clock, image::ContentStore& content,
       const Repositories& repositories)
      : executors_(executors), clock_(clock), content_(content), repositories_(repositories) {}
  using Progress = std::function<void(std::uint64_t bytes)>;  // on the control strand
  io::Awaitable<FsckReport> run(FsckOptions options, Progress progress = {});

 private:
  struct Reading;
  io::Awaitable<void> read_blob(const image::Digest& digest, const FsckOptions& options, FsckReport& report);
  io::Awaitable<void> find_missing(const std::vector<image::Digest>& present, FsckReport& report);
  io::Awaitable<void> name_images(FsckReport& report);
  io::Awaitable<void> say_lengths(FsckReport& report);

  io::Executors& executors_;
  core::Clock& clock_;
  image::ContentStore& content_;
  const Repositories& repositories_;
};

std::string_view to_text(Damage::What what);
// "damaged sha256:… (cut short: 64 bytes instead of 128), needed by …"
std::string describe(const Damage& damage);

}  // namespace sampan::ecr
