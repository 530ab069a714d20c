// Why an image could not be replicated, as DescribeImageReplicationStatus tells it.
#pragma once

#include <stdexcept>
#include <string>

namespace sampan::ecr {

class ReplicationFailure : public std::runtime_error {
 public:
  enum class Passes {
    kMaybe,  // by itself: told as FAILED only after some tries
    kNo,     // only when somebody changes something; it is tried again all the same, but rarely
  };
  ReplicationFailure(std::string code, const std::string& reason, Passes passes)
      : std::runtime_error(reason), code_(std::move(code)), passes_(passes) {}
  const std::string& code() const { return code_; }
  Passes passes() const { return passes_; }

 private:
  std::string code_;
  Passes passes_;
};

}  // namespace sampan::ecr
