#include "scan/database.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "scan/json_text.h"
#include "scan/osv_bytes.h"

namespace sampan::scan {
namespace {

namespace json = boost::json;

constexpr std::size_t kPiece = 1024 * 1024;

std::vector<std::string> texts_of(const json::value& value) {
  std::vector<std::string> texts;
  for (const auto& item : value.as_array()) texts.emplace_back(item.as_string());
  return texts;
}

}  // namespace

std::string_view Database::name_of(const PackageKey& key) const {
  return std::string_view(texts_).substr(key.name, key.name_size);
}

void Database::find(std::string_view ecosystem, std::string_view name,
                    const std::function<void(const Hit&)>& visit) const {
  const auto known = std::lower_bound(ecosystems_.begin(), ecosystems_.end(), ecosystem);
  if (known == ecosystems_.end() || *known != ecosystem) return;
  const auto number = static_cast<std::uint16_t>(known - ecosystems_.begin());
  const auto end = packages_.end() - 1;
  const auto found = std::partition_point(packages_.begin(), end, [&](const PackageKey& key) {
    return key.ecosystem != number ? key.ecosystem < number : name_of(key) < name;
  });
  if (found == end || found->ecosystem != number || name_of(*found) != name) return;
  for (auto row = found->first; row < (found + 1)->first; ++row) {
    auto affected = decode_affected(std::string_view(texts_).substr(affected_[row].ranges));
    visit(
        {affected_[row].record, affected.severity, std::move(affected.ranges), std::move(affected.versions)});
  }
}

Advisory Database::advisory(std::uint32_t record) const {
  const auto& place = records_.at(record);
  std::string bytes(place.size, '\0');
  for (std::size_t got = 0; got < bytes.size();) {
    const auto count = ::pread(details_.get(), bytes.data() + got, bytes.size() - got,
                               static_cast<off_t>(place.offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw core::errno_error("read the vulnerability database's details");
    got += static_cast<std::size_t>(count);
  }
  const auto value = json::parse(bytes);
  const auto& row = value.as_array();
  const auto text = [&](std::size_t i) { return std::string(row.at(i).as_string()); };
  Advisory advisory{text(0), text(1), text(2), text(3), text(4), texts_of(row.at(5)), texts_of(row.at(6)),
                    {}};
  for (const auto& vector : texts_of(row.at(7))) {
    if (auto score = score_of(vector)) advisory.vectors.push_back({vector, *score});
  }
  return advisory;
}

std::size_t Database::memory() const {
  return texts_.capacity() + packages_.capacity() * sizeof(PackageKey) +
         affected_.capacity() * sizeof(Affected) + records_.capacity() * sizeof(Place);
}

DatabaseBuilder::DatabaseBuilder(const std::filesystem::path& scratch, DatabaseLimits limits)
    : limits_(limits), database_(std::make_shared<Database>()) {
  io::make_directories(scratch);
  int file = ::open(scratch.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) {  // a file system that has no files without names
    auto name = (scratch / "details-XXXXXX").string();
    file = ::mkostemp(name.data(), O_CLOEXEC);
    if (file < 0) throw core::errno_error("make a file in " + scratch.string());
    ::unlink(name.c_str());
  }
  database_->details_ = io::UniqueFd(file);
}

DatabaseBuilder::~DatabaseBuilder() = default;

std::uint32_t DatabaseBuilder::intern(std::string text) {
  auto& texts = database_->texts_;
  if (texts.size() + text.size() > limits_.texts) {
    throw core::Error("load the vulnerability database", "it is larger than what is held in memory");
  }
  const auto place = static_cast<std::uint32_t>(texts.size());
  const auto [known, fresh] = places_.try_emplace(std::move(text), place);
  if (fresh) texts += known->first;
  return known->second;
}

void DatabaseBuilder::add(const OsvRecord& record) {
  if (record.withdrawn) return;
  const auto number = static_cast<std::uint32_t>(database_->records_.size());
  bool used = false;
  for (const auto& affected : record.affected) {
    const auto scheme = scheme_of(affected.ecosystem);
    if (!scheme) continue;
    const auto next = static_cast<std::uint16_t>(ecosystems_.size());
    const auto ecosystem = ecosystems_.try_emplace(affected.ecosystem, next).first->second;
    if (ecosystems_.size() >= std::numeric_limits<std::uint16_t>::max()) {
      throw core::Error("load the vulnerability database", "it has too many ecosystems");
    }
    OsvAffected kept{.ecosystem = {},
                     .name = {},
                     .ranges = affected.ranges,
                     .versions = {},
                     .severity = affected.severity};
    for (const auto& version : affected.versions) {
      if (!is_affected(*scheme, affected.ranges, {}, version)) kept.versions.push_back(version);
    }
    rows_.push_back({intern(affected.name), number, intern(encode_affected(kept)), ecosystem,
                     static_cast<std::uint16_t>(affected.name.size())});
    used = true;
  }
  if (!used) return;
  if (database_->records_.size() >= limits_.records ||
      rows_.size() > std::numeric_limits<std::uint32_t>::max() - 1) {
    throw core::Error("load the vulnerability database", "it has too many records");
  }
  write_details(record);
}

void DatabaseBuilder::write_details(const OsvRecord& record) {
  json::array vectors;
  for (const auto& vector : record.vectors) vectors.emplace_back(vector.vector);
  const auto text = json::serialize(json::array{record.id, record.name, record.description, record.published,
                                                record.modified, json::value_from(record.related),
                                                json::value_from(record.references), std::move(vectors)});
  database_->records_.push_back({written_ + pending_.size(), static_cast<std::uint32_t>(text.size())});
  pending_ += text;
  if (pending_.size() >= kPiece) flush();
}

void DatabaseBuilder::flush() {
  io::write_all(database_->details_.get(), pending_);
  written_ += pending_.size();
  pending_.clear();
}

// Ecosystems get their numbers in the order of their names, packages stand in that of theirs.
void DatabaseBuilder::sort_rows() {
  auto& names = database_->ecosystems_;
  std::vector<std::uint16_t> renumbered(ecosystems_.size());
  for (const auto& [name, number] : ecosystems_) names.push_back(name);
  std::sort(names.begin(), names.end());
  for (std::size_t i = 0; i < names.size(); ++i)
    renumbered[ecosystems_.at(names[i])] = static_cast<std::uint16_t>(i);
  for (auto& row : rows_) row.ecosystem = renumbered[row.ecosystem];
  const std::string_view texts = database_->texts_;
  std::sort(rows_.begin(), rows_.end(), [&](const Row& a, const Row& b) {
    if (a.ecosystem != b.ecosystem) return a.ecosystem < b.ecosystem;
    if (a.name == b.name && a.name_size == b.name_size) return a.record < b.record;
    return texts.substr(a.name, a.name_size) < texts.substr(b.name, b.name_size);
  });
}

std::shared_ptr<const Database> DatabaseBuilder::finish() {
  flush();
  places_ = {};
  sort_rows();
  auto& db = *database_;
  db.affected_.reserve(rows_.size());
  // Names are interned beside other texts: the same name has the same place.
  for (const auto& row : rows_) {
    const bool same = !db.packages_.empty() && db.packages_.back().ecosystem == row.ecosystem &&
                      db.packages_.back().name == row.name && db.packages_.back().name_size == row.name_size;
    if (!same) {
      db.packages_.push_back(
          {row.name, row.ecosystem, row.name_size, static_cast<std::uint32_t>(db.affected_.size())});
    }
    db.affected_.push_back({row.record, row.ranges});
  }
  db.packages_.push_back(
      {0, std::numeric_limits<std::uint16_t>::max(), 0, static_cast<std::uint32_t>(db.affected_.size())});
  db.packages_.shrink_to_fit();
  db.records_.shrink_to_fit();
  db.texts_.shrink_to_fit();
  rows_ = {};
  return std::move(database_);
}

}  // namespace sampan::scan
