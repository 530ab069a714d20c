// COPY and ADD: what they name, what their cache key covers, and carrying them out. Blocking.
#pragma once

#include "build/copy.h"
#include "build/site.h"

namespace sampan::build {

struct InlineFile {
  std::string name;
  std::string bytes;
};

struct CopyPlan {
  Location where;
  std::vector<std::string> patterns;     // of files in the context or in `from`
  std::vector<std::string> urls;         // ADD
  std::vector<InlineFile> inline_files;  // heredocs
  std::string from;
  std::string destination;  // absolute; ends with '/' as written
  std::string chown;
  std::string chmod;
  std::string checksum;  // ADD --checksum=sha256:…, of the one URL
  bool extract = false;  // ADD: archives are unpacked
  bool parents = false;
};

// Throws BuildError.
CopyPlan plan_copy(const BuildSite& site, const Instruction& instruction, const StageConfig& stage);
// A digest of all that a copy from the context brings. Throws BuildError when a source is not there.
std::string content_of(const BuildSite& site, const CopyPlan& plan);
void execute_copy(const BuildSite& site, const CopyPlan& plan, const SourceTree& source,
                  const std::filesystem::path& root);

}  // namespace sampan::build
