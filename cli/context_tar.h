// A build's context as a tar file: what .dockerignore leaves of the folder, without following a link out of it.
#pragma once

#include <filesystem>
#include <string>

namespace sampan::cli {

// A temporary file that goes with its object.
class ContextTar {
 public:
  explicit ContextTar(std::filesystem::path path) : path_(std::move(path)) {}
  ContextTar(ContextTar&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  ContextTar& operator=(ContextTar&&) = delete;
  ~ContextTar();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Throws core::Error that names the file that cannot be read.
ContextTar write_context_tar(const std::filesystem::path& directory, const std::string& dockerfile);

}  // namespace sampan::cli
