// A vulnerability database in memory: who is affected by what, looked up by package. Made once by a
// DatabaseBuilder, then only read; shared by whoever scans, so that a newer one can take its place.
//
// What matching needs is held compactly (each package's ranges, shared texts once); what only a finding shows
// (descriptions, references) lies in an unlinked file and is read when something matched. Listed versions
// that a record's own ranges cover anyway are not kept: that changes no answer.
//
// Database: thread-safe to read. Builder: one thread. Blocking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/file.h"
#include "scan/osv.h"

namespace sampan::scan {

// What a record says of itself, for showing.
struct Advisory {
  std::string id, name, description, published, modified;
  std::vector<std::string> related, references;
  std::vector<OsvVector> vectors;
};

class Database {
 public:
  struct Hit {
    std::uint32_t record;
    Severity severity;
    std::vector<OsvRange> ranges;
    std::vector<std::string> versions;
  };
  // Every record about that package. The ecosystem exactly as records write it.
  void find(std::string_view ecosystem, std::string_view name,
            const std::function<void(const Hit&)>& visit) const;
  // Throws core::Error when the disk refuses.
  Advisory advisory(std::uint32_t record) const;

  std::size_t records() const { return records_.size(); }
  std::size_t packages() const { return packages_.size() - 1; }
  std::size_t memory() const;  // bytes held, without the file

 private:
  friend class DatabaseBuilder;
  struct PackageKey {
    std::uint32_t name;  // where it begins in texts_
    std::uint16_t ecosystem;
    std::uint16_t name_size;
    std::uint32_t first;  // in affected_; the next package's is the end
  };
  struct Affected {
    std::uint32_t record;
    std::uint32_t ranges;  // where they begin in texts_
  };
  struct Place {
    std::uint64_t offset;
    std::uint32_t size;
  };
  std::string_view name_of(const PackageKey& key) const;

  std::string texts_;
  std::vector<std::string> ecosystems_;  // sorted
  std::vector<PackageKey> packages_;     // sorted by ecosystem, then name; one more at the end
  std::vector<Affected> affected_;
  std::vector<Place> records_;
  io::UniqueFd details_;
};

struct DatabaseLimits {
  std::size_t records = 8'000'000;
  std::size_t texts = 3ull << 30;
};

class DatabaseBuilder {
 public:
  // `scratch`: a directory for the file of details, which has no name there.
  explicit DatabaseBuilder(const std::filesystem::path& scratch, DatabaseLimits limits = {});
  ~DatabaseBuilder();
  // Leaves out what is withdrawn, and packages of ecosystems that no image has. Throws core::Error at a
  // limit.
  void add(const OsvRecord& record);
  std::shared_ptr<const Database> finish();

 private:
  struct Row {
    std::uint32_t name, record, ranges;
    std::uint16_t ecosystem, name_size;
  };
  std::uint32_t intern(std::string text);
  void write_details(const OsvRecord& record);
  void flush();
  void sort_rows();

  DatabaseLimits limits_;
  std::shared_ptr<Database> database_;
  std::unordered_map<std::string, std::uint32_t> places_;  // of texts
  std::unordered_map<std::string, std::uint16_t> ecosystems_;
  std::vector<Row> rows_;
  std::string pending_;  // of the file of details
  std::uint64_t written_ = 0;
};

}  // namespace sampan::scan
