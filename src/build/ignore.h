// .dockerignore: which paths of a context do not exist for a build. Docker's rules (moby/patternmatcher):
// Go's filepath.Match per part, `**` any number of parts, `!` takes back, the last pattern that matches
// decides, a directory that matches takes what is below it along. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sampan::build {

class IgnoreRules {
 public:
  IgnoreRules() = default;
  explicit IgnoreRules(std::string_view text);  // the file

  // `path` is relative to the context, parts joined by '/', no "." parts.
  bool ignores(std::string_view path) const;
  // False when nothing below an ignored directory can be taken back: it need not be walked.
  bool may_take_back() const { return takes_back_; }
  bool empty() const { return rules_.empty(); }

 private:
  struct Rule {
    std::vector<std::string> parts;
    bool take_back = false;
  };
  std::vector<Rule> rules_;
  bool takes_back_ = false;
};

// Go's path/filepath.Match on one part: '*', '?', '[a-z]', '[^x]', '\\'. A malformed pattern matches nothing.
bool match_part(std::string_view pattern, std::string_view text);

}  // namespace sampan::build
