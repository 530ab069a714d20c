// What a request breaks of its model's constraints, collected while it is decoded. Each service tells its
// clients in its own words: aws/validation_text.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/shape.h"

namespace sampan::aws {

struct Violation {
  enum class Kind { kRequired, kLength, kSize, kRange, kPattern, kEnum };
  Kind kind;
  bool below = false;  // kLength, kSize, kRange: under the minimum, not over the maximum
  std::string path;    // "tags.1.member.key", as AWS's messages count
  std::string parent;  // the structure that holds it: "ContainerDefinition"
  std::string member;  // the last name of the path: "key"
  std::string value;   // as text; cut; empty for kRequired and what is sensitive
  const Shape* shape;
};

class Violations {
 public:
  bool empty() const { return found_.empty(); }
  const std::vector<Violation>& found() const { return found_; }

  // Where the decoder stands. Names must outlive the scope; nothing is built until something is broken.
  class Scope {
   public:
    Scope(Violations* violations, std::string_view name, std::size_t index = 0, const Shape* parent = nullptr)
        : violations_(violations) {
      if (violations_) violations_->path_.push_back({name, index, parent});
    }
    ~Scope() {
      if (violations_) violations_->path_.pop_back();
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Violations* violations_;
  };

  // `name`: the member's, as the messages of this protocol call it.
  void missing(const Shape& parent, const Member& member, std::string_view name);
  void check_string(const Shape& shape, const std::string& value);
  void check_number(const Shape& shape, double value);
  void check_size(const Shape& shape, std::size_t size);

 private:
  struct Step {
    std::string_view name;
    std::size_t index;  // from 1; 0: a member or a map's key
    const Shape* parent;
  };
  void add(Violation::Kind kind, bool below, const Shape& shape, std::string value);
  std::string path() const;

  std::vector<Step> path_;
  std::vector<Violation> found_;
};

// A request may break this many constraints before we stop counting.
inline constexpr std::size_t kMaxViolations = 20;

}  // namespace sampan::aws
