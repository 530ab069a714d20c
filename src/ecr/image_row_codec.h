// How an ImageRow is written: packed (store/packed.h), and in JSON by the first versions, which is read
// still. A new member gets a field number of its own, here and nowhere else, never an old one's.
//
// ImageFacts reads only what indexes ask for, without making strings: a start reads every image's row once.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "ecr/rows.h"

namespace sampan::ecr {

// Whether the row has an archived_at; quick. The row has been read before.
bool was_archived(std::string_view row);

class ImageFacts {
 public:
  // Throws core::Error when the row cannot be read as a whole. The views are good as long as `row`'s bytes
  // and until the next read().
  void read(std::string_view row);
  void clear();
  bool same_relations(const ImageFacts& other) const;  // all but the tags

  std::vector<std::string_view> tags;      // sorted
  std::vector<std::string_view> children;  // raw digests, as those below
  std::vector<std::string_view> blobs;
  std::string_view subject;  // empty: none

 private:
  void read_packed(std::string_view row);
  void read_old(std::string_view row);
  std::deque<std::string> own_;  // what an old row does not hold in this form
  ImageRow ignored_;             // takes the other fields: kept, for its strings' room
};

}  // namespace sampan::ecr
